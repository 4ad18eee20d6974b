"""Pools of first and last names, by the name of the pool that a country draws from."""

from __future__ import annotations

NAMES = {
    "english": (
        ("Amelia", "Oliver", "Isla", "Harry", "Priya", "Mohammed", "Grace", "Callum", "Ffion", "Rhys", "Zainab", "Tom",
         "Beth", "Kofi", "Maeve", "Declan", "Sunita", "Alfie", "Hannah", "Piotr", "Leila", "Marcus", "Eve", "Winston",
         "Siobhan", "George", "Noor", "Jack", "Martha", "Delroy", "Keira", "Samuel"),
        ("Penrose", "Whitcombe", "Okonkwo", "Patel", "Davies", "Trevelyan", "Hussain", "Baker", "Llewellyn", "Shaw",
         "Chowdhury", "Fairfax", "Kelly", "Mensah", "Gallagher", "Rossiter", "Nowak", "Hale", "Singh", "Marlowe",
         "Campbell", "Webb", "Sharma", "Tolliver", "Barrett", "Quick", "Ahmed", "Yeo", "Pascoe", "Brennan"),
    ),
    "german": (
        ("Anke", "Jürgen", "Lena", "Matthias", "Ayşe", "Björn", "Katrin", "Uwe", "Marlene", "Tobias"),
        ("Müller", "Schröder", "Weiß", "Yılmaz", "Köhler", "Brandt", "Großmann", "Petersen", "Lange", "Vogt"),
    ),
    "french": (
        ("Camille", "Étienne", "Maëlys", "Yannick", "Aïcha", "Loïc", "Océane", "François", "Solène", "Rachid"),
        ("Lefèvre", "Le Goff", "Benali", "Marchand", "Dubois", "Garçon", "Noël", "Rousseau", "Kervella", "Fabre"),
    ),
    "iberian": (
        ("Carmen", "Iñaki", "Lucía", "João", "Inês", "Álvaro", "Nuria", "Tiago"),
        ("García", "Muñoz", "Fernandes", "Ibáñez", "Gonçalves", "Ruiz", "Magalhães", "Vega"),
    ),
    "italian": (
        ("Chiara", "Niccolò", "Giulia", "Matteo", "Rosaria", "Luca"),
        ("Bianchi", "Esposito", "De Luca", "Vella", "Camilleri", "Ferrari"),
    ),
    "dutch": (
        ("Anouk", "Daan", "Femke", "Joris", "Noor", "Wouter"),
        ("de Vries", "Peeters", "van den Berg", "Maes", "Jansen", "Claes"),
    ),
    "nordic": (
        ("Astrid", "Søren", "Åsa", "Mikko", "Sigríður", "Håkon", "Freja", "Jón"),
        ("Lindqvist", "Sørensen", "Virtanen", "Bjørnstad", "Jónsdóttir", "Håkansson", "Dahl", "Mäkinen"),
    ),
    "slavic": (
        ("Agnieszka", "Tomáš", "Łukasz", "Jana", "Rūta", "Jonas"),
        ("Wiśniewski", "Nováková", "Dvořák", "Zielińska", "Kazlauskas", "Petrauskienė"),
    ),
    "greek": (
        ("Eleni", "Giorgos", "Κατερίνα", "Andreas", "Despina", "Nikos"),
        ("Papadopoulos", "Georgiou", "Ioannou", "Χριστοδούλου", "Nikolaidis", "Vasileiou"),
    ),
    "arabic": (
        ("Layla", "Omar", "Yael", "Hassan", "Noa", "Rania"),
        ("Haddad", "Al-Khalifa", "Cohen", "Mansour", "Levi", "Al-Harbi"),
    ),
    "eastern": (
        ("Yuki", "Wei Ling", "Haruto", "Mei", "Ka Wai", "Sakura"),
        ("Tanaka", "Wong", "Satō", "Lim", "Chan", "Itō"),
    ),
}  # fmt: skip
