# The product in one image: Airflow, the pinned requirements, our wheel (which carries include/ and expectations/) and the
# DAGs. Every service of docker-compose.yaml runs it.
ARG BASE=apache/airflow:slim-3.3.2-python3.12

FROM ${BASE} AS wheel
WORKDIR /tmp/source
COPY --chown=airflow:0 requirements/build.txt ./
RUN pip install --no-cache-dir --require-hashes -r build.txt
COPY --chown=airflow:0 pyproject.toml README.md ./
COPY --chown=airflow:0 plugins plugins
COPY --chown=airflow:0 include include
COPY --chown=airflow:0 expectations expectations
RUN python -m hatchling build -t wheel -d /tmp/wheel

FROM ${BASE}
USER root
# What is mounted here keeps its owner: a named volume begins as a copy of the folder.
RUN install -d -o airflow -g 0 -m 0770 /opt/reactivation
USER airflow
COPY --chown=airflow:0 requirements/image.txt /tmp/image.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/image.txt
COPY --from=wheel --chown=airflow:0 /tmp/wheel /tmp/wheel
RUN pip install --no-cache-dir --no-deps /tmp/wheel/*.whl && pip check
COPY --chown=airflow:0 dags /opt/airflow/dags
