#!/bin/sh
# Brings Temporal's two databases to the schema of these tools. Safe to run again: what is there
# already is left as it is.
set -eu
SQL_PASSWORD="$(cat /run/secrets/temporal_database_password)"
export SQL_PASSWORD

for pair in temporal:temporal temporal_visibility:visibility; do
  database="${pair%%:*}"
  set -- temporal-sql-tool --plugin postgres12 --ep temporal-database -p 5432 -u temporal --db "$database"
  "$@" create
  "$@" setup-schema -v 0.0
  "$@" update-schema --schema-name "postgresql/v12/${pair##*:}"
done
