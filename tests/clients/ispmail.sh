#!/bin/sh
# Makes a mail host of Debian's packages, as the guides for "ISP mail" do: MariaDB has the domains,
# mailboxes and aliases; Postfix asks it, and gives messages to Dovecot by LMTP; Dovecot asks it for
# passwords, also for Postfix. Runs inside of the root, as root; both Dovecot 2.3 and 2.4 are known.
#
#   sh ispmail.sh CERTIFICATE KEY PASSWORD
#
# The mailboxes are ann@example.org and bob@example.net.
set -eu
certificate=$1 key=$2 password=$3

# The database, on its usual port of loopback and its usual socket.
install -d -o mysql -g mysql /run/mysqld
mariadbd --user=mysql --bind-address=127.0.0.1 --innodb-flush-method=fsync --innodb-use-native-aio=0 \
    --skip-log-bin >/var/log/mariadb.log 2>&1 &
left=100
until mariadb-admin ping >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { cat /var/log/mariadb.log >&2; exit 1; }
    sleep 0.1
done
hash=$(doveadm pw -s SHA512-CRYPT -r 5000 -p "$password")
mariadb <<SQL
CREATE DATABASE mailserver;
USE mailserver;
CREATE TABLE virtual_domains (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(255) NOT NULL UNIQUE
);
CREATE TABLE virtual_users (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  domain_id INT NOT NULL,
  email VARCHAR(255) NOT NULL UNIQUE,
  password VARCHAR(255) NOT NULL,
  FOREIGN KEY (domain_id) REFERENCES virtual_domains (id) ON DELETE CASCADE
);
CREATE TABLE virtual_aliases (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  domain_id INT NOT NULL,
  source VARCHAR(255) NOT NULL,
  destination VARCHAR(255) NOT NULL,
  FOREIGN KEY (domain_id) REFERENCES virtual_domains (id) ON DELETE CASCADE
);
INSERT INTO virtual_domains (name) VALUES ('example.org'), ('example.net');
INSERT INTO virtual_users (domain_id, email, password) VALUES
  (1, 'ann@example.org', '$hash'), (2, 'bob@example.net', '$hash');
CREATE USER mailserver@'127.0.0.1' IDENTIFIED BY 'of-the-mail-server';
GRANT SELECT ON mailserver.* TO mailserver@'127.0.0.1';
SQL

# The mailboxes' owner.
groupadd --gid 5000 vmail
useradd --gid vmail --uid 5000 --home-dir /var/vmail --create-home --shell /usr/sbin/nologin vmail

# Postfix.
query() {
    cat >"/etc/postfix/mysql-$1.cf" <<CF
user = mailserver
password = of-the-mail-server
hosts = 127.0.0.1
dbname = mailserver
query = $2
CF
    chgrp postfix "/etc/postfix/mysql-$1.cf"
    chmod 640 "/etc/postfix/mysql-$1.cf"
}
query virtual-mailbox-domains "SELECT 1 FROM virtual_domains WHERE name='%s'"
query virtual-mailbox-maps "SELECT 1 FROM virtual_users WHERE email='%s'"
query virtual-alias-maps "SELECT destination FROM virtual_aliases WHERE source='%s'"
query email2email "SELECT email FROM virtual_users WHERE email='%s'"
postconf 'myhostname = mail.example.org' 'mydestination = $myhostname, localhost' \
    'virtual_mailbox_domains = mysql:/etc/postfix/mysql-virtual-mailbox-domains.cf' \
    'virtual_mailbox_maps = mysql:/etc/postfix/mysql-virtual-mailbox-maps.cf' \
    'virtual_alias_maps = mysql:/etc/postfix/mysql-virtual-alias-maps.cf' \
    'virtual_transport = lmtp:unix:private/dovecot-lmtp' \
    'smtpd_sasl_type = dovecot' 'smtpd_sasl_path = private/auth' 'smtpd_sasl_auth_enable = yes' \
    'smtpd_tls_security_level = may' 'smtpd_tls_auth_only = yes' \
    "smtpd_tls_cert_file = $certificate" "smtpd_tls_key_file = $key" \
    'maillog_file = /var/log/postfix.log'
cat >>/etc/postfix/master.cf <<'CF'
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path=private/auth
  -o smtpd_sasl_security_options=noanonymous
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_login_maps=mysql:/etc/postfix/mysql-email2email.cf
  -o smtpd_sender_restrictions=reject_sender_login_mismatch
submissions inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submissions
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_login_maps=mysql:/etc/postfix/mysql-email2email.cf
  -o smtpd_sender_restrictions=reject_sender_login_mismatch
CF

# Dovecot.
cd /etc/dovecot/conf.d
sed -i 's/^!include auth-system/#&/; s/^#!include auth-sql/!include auth-sql/' 10-auth.conf
passwords="SELECT email AS user, password FROM virtual_users WHERE email = '%u'"
mailboxes="SELECT 5000 AS uid, 5000 AS gid, '/var/vmail/%d/%n' AS home FROM virtual_users WHERE email = '%u'"
case $(dovecot --version) in
2.3.*)
    cat >/etc/dovecot/dovecot-sql.conf.ext <<CONF
driver = mysql
connect = host=127.0.0.1 dbname=mailserver user=mailserver password=of-the-mail-server
password_query = $passwords
user_query = $mailboxes
iterate_query = SELECT email AS user FROM virtual_users
CONF
    cat >/etc/dovecot/local.conf <<CONF
log_path = /var/log/dovecot.log
auth_mechanisms = plain login
ssl = required
ssl_cert = <$certificate
ssl_key = <$key
mail_location = maildir:~/Maildir
CONF
    ;;
*)
    # It has names for its variables.
    named() { printf '%s\n' "$1" | sed 's/%u/%{user}/; s/%d/%{user | domain}/; s/%n/%{user | username}/'; }
    cat >auth-sql.conf.ext <<CONF
sql_driver = mysql
mysql 127.0.0.1 {
  user = mailserver
  password = of-the-mail-server
  dbname = mailserver
}
passdb sql {
  query = $(named "$passwords")
}
userdb sql {
  query = $(named "$mailboxes")
  iterate_query = SELECT email AS user FROM virtual_users
}
CONF
    cat >/etc/dovecot/local.conf <<CONF
log_path = /var/log/dovecot.log
auth_mechanisms = plain login
ssl = required
ssl_server_cert_file = $certificate
ssl_server_key_file = $key
mail_driver = maildir
mail_home = /var/vmail/%{user | domain}/%{user | username}
mail_path = ~/Maildir
mail_inbox_path =
protocol lmtp {
  auth_username_format = %{user | lower}
}
CONF
    ;;
esac
cat >>/etc/dovecot/local.conf <<'CONF'
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
CONF
grep -q '^!include_try local.conf' /etc/dovecot/dovecot.conf

# What the services' units do: files for the chroot, then start.
for file in etc/hosts etc/resolv.conf etc/nsswitch.conf etc/services; do
    install -D -m 644 "/$file" "/var/spool/postfix/$file"
done
# Postfix creates the folder of the sockets that Dovecot makes for it. Their processes keep the files of
# standard output and standard error.
for start in 'postfix start' dovecot; do
    $start >/var/log/start.log 2>&1 || {
        cat /var/log/start.log >&2
        exit 1
    }
done
