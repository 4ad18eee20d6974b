#!/bin/sh
# Run once by the postgres image, on an empty data folder: the ledger's own role and database beside Airflow's.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$LEDGER_DB_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE reactivation LOGIN PASSWORD :'password';
CREATE DATABASE reactivation OWNER reactivation;
SQL
