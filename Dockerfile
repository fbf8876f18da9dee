# One image for the API, the worker and the migrations: they differ in what they are asked to run.
#
#   docker run kairos python -m api
#   docker run kairos python -m worker
#   docker run kairos python -m store upgrade
#
# Pinned by tag. A digest would pin harder; the one that your registry serves is printed by
# `docker buildx imagetools inspect python:3.11.14-slim-bookworm`: put it behind the tag, as
# `@sha256:…`, where you build. None stands here because none could be checked when this was written.
FROM python:3.11.14-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# A number, so that an orchestrator can see that it is not root. Nothing in the image belongs to it.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin kairos

WORKDIR /app

# The lock first: it changes seldom, and this layer is the large one.
COPY requirements/run.lock requirements/run.lock
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
    --only-binary :all: --requirement requirements/run.lock

# The packages of the drawing that production runs; demo, tests and benchmarks stay out.
COPY domain domain
COPY workflows workflows
COPY fhir_adapters fhir_adapters
COPY store store
COPY protocols protocols
COPY temporal temporal
COPY activities activities
COPY turns turns
COPY api api
COPY worker worker
COPY build.py build.py
COPY logs.py logs.py
COPY settings.py settings.py
COPY strict_json.py strict_json.py

USER 10001
CMD ["python", "-m", "api"]
