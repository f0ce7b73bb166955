# A PostgreSQL server, and a PgBouncer before it, in a temporary folder. To be sourced after common.sh.

need_postgres() {
    need_package "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb" postgresql
    need_package "command -v pgbouncer || test -x /usr/sbin/pgbouncer" pgbouncer
    need_libpq
    need_package "command -v python3" python3
    postgres_programs=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -1 || command -v initdb)")
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Neither server runs as root: there an unprivileged user runs it.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

# Starts both, and says where they are in what the tests read: NOTES_TEST_POSTGRES, NOTES_TEST_PGBOUNCER and the command
# NOTES_TEST_POSTGRES_RESTART. Whoever starts them has stop_postgres called on every exit.
start_postgres() {
    postgres_folder=$(mktemp -d "${TMPDIR:-/tmp}/postgres.XXXXXX")
    local port bouncer_port
    port=$(free_port)
    bouncer_port=$(free_port)
    mkdir "$postgres_folder/data"
    cat >"$postgres_folder/pgbouncer.ini" <<INI
[databases]
* = host=127.0.0.1 port=$port

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $bouncer_port
unix_socket_dir =
logfile = $postgres_folder/pgbouncer.log
pidfile = $postgres_folder/pgbouncer.pid
auth_type = trust
auth_file = $postgres_folder/users.txt
pool_mode = transaction
# Fewer than the application has connections.
default_pool_size = 4
max_client_conn = 500
server_login_retry = 1
INI
    printf '"postgres" ""\n"notes_login" ""\n' >"$postgres_folder/users.txt"
    cat >"$postgres_folder/restart" <<RESTART
#!/usr/bin/env bash
# The server must not keep open what its caller waits for the end of.
for descriptor in /proc/self/fd/*; do
    descriptor=\${descriptor##*/}
    [ "\$descriptor" -le 2 ] || eval "exec \$descriptor>&-"
done
cd / && exec "$postgres_programs/pg_ctl" restart -s -w -m "\${1:-fast}" -D "$postgres_folder/data" -l "$postgres_folder/log" </dev/null >/dev/null 2>&1
RESTART
    chmod +x "$postgres_folder/restart"
    [ "$(id -u)" != 0 ] || chown -R postgres "$postgres_folder"
    unprivileged "$postgres_programs/initdb" -D "$postgres_folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$postgres_folder/initdb.log" \
        || fail "initdb failed: $(cat "$postgres_folder/initdb.log")"
    unprivileged sh -c "cat >>'$postgres_folder/data/postgresql.conf'" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 200
fsync = off
CONF
    unprivileged "$postgres_programs/pg_ctl" start -s -w -D "$postgres_folder/data" -l "$postgres_folder/log" </dev/null >/dev/null \
        || fail "PostgreSQL did not start: $(cat "$postgres_folder/log")"
    unprivileged "$(command -v pgbouncer || echo /usr/sbin/pgbouncer)" -q -d "$postgres_folder/pgbouncer.ini" </dev/null >/dev/null 2>&1 \
        || fail "PgBouncer did not start: $(cat "$postgres_folder/pgbouncer.log")"
    export NOTES_TEST_POSTGRES="postgresql://postgres@127.0.0.1:$port"
    export NOTES_TEST_PGBOUNCER="postgresql://notes_login@127.0.0.1:$bouncer_port"
    if [ "$(id -u)" = 0 ]; then
        export NOTES_TEST_POSTGRES_RESTART="runuser -u postgres -- $postgres_folder/restart"
    else
        export NOTES_TEST_POSTGRES_RESTART="$postgres_folder/restart"
    fi
}

stop_postgres() {
    [ -n "${postgres_folder:-}" ] || return 0
    [ ! -f "$postgres_folder/pgbouncer.pid" ] || kill "$(cat "$postgres_folder/pgbouncer.pid")" 2>/dev/null || true
    unprivileged "$postgres_programs/pg_ctl" stop -s -w -m immediate -D "$postgres_folder/data" </dev/null >/dev/null 2>&1 || true
    rm -rf "$postgres_folder"
    postgres_folder=
}
