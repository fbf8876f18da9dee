#!/bin/bash
# Runs once, when the data folder is empty. Kairos owns its database but is no superuser: row-level
# security does not bind a superuser.
set -euo pipefail
password="$(cat /run/secrets/kairos_database_password)"
psql --set ON_ERROR_STOP=1 --set password="$password" --username postgres <<'SQL'
CREATE ROLE kairos LOGIN NOSUPERUSER NOCREATEDB NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE kairos OWNER kairos;
REVOKE ALL ON DATABASE kairos FROM PUBLIC;
SQL
