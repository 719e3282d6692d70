#!/bin/sh
# Creates the configuration, certificates and users of three nats-servers: make.sh FOLDER HOST HOST HOST
#
# FOLDER gets a folder per server, nats-1 and so on (nats.conf, its certificate, the users), `ca.pem` for the services, and the
# seeds of the users. Existing files are kept; delete a server's folder to create it again.
# STORE is the folder of a server's store (default /var/lib/nats); NIGHTMAIL and OPENSSL are the programs' paths.
set -eu

[ $# -ge 2 ] || { echo "usage: make.sh FOLDER HOST..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
nightmail=${NIGHTMAIL:-$here/../../.venv/bin/nightmail}
openssl=${OPENSSL:-openssl}
store=${STORE:-/var/lib/nats}
umask 077
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift

key() { "$openssl" genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

if [ ! -e "$folder/ca.pem" ]; then
    key "$folder/ca.key"
    "$openssl" req -x509 -new -key "$folder/ca.key" -days 3650 -subj "/CN=Nightmail NATS" -out "$folder/ca.pem" \
        -addext "keyUsage=critical,keyCertSign,cRLSign"
fi
"$nightmail" nats-config --seeds "$folder/seeds" -o "$folder/authorization.conf"

routes=
for host in "$@"; do routes="$routes${routes:+, }\"tls://$host:6222\""; done

number=0
for host in "$@"; do
    number=$((number + 1))
    server=$folder/nats-$number
    [ ! -e "$server" ] || continue
    mkdir "$server.new"
    cp "$folder/ca.pem" "$folder/authorization.conf" "$server.new/"
    # Debian's /etc/hosts gives a machine's own name the address 127.0.1.1, on which no other machine can reach it.
    case $host in *[!0-9.]*) name=DNS:$host listen=0.0.0.0 ;; *) name=IP:$host listen=$host ;; esac
    case $host in 127.*) monitor=$host ;; *) monitor=127.0.0.1 ;; esac
    key "$server.new/server.key"
    "$openssl" req -new -key "$server.new/server.key" -subj "/CN=nats-$number" -addext "subjectAltName=$name" \
        -addext "keyUsage=critical,digitalSignature" -addext "extendedKeyUsage=serverAuth,clientAuth" |
        "$openssl" x509 -req -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -days 825 -copy_extensions copy \
            -out "$server.new/server.pem" 2>/dev/null
    sed -e "s|@NAME@|nats-$number|" -e "s|@LISTEN@|$listen|" -e "s|@MONITOR@|$monitor|" -e "s|@ROUTES@|$routes|" -e "s|@FOLDER@|$server|" \
        -e "s|@STORE@|$store|" "$here/nats.conf" >"$server.new/nats.conf"
    mv "$server.new" "$server"
done
