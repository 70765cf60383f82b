//! The pages with commands: what is done before and after the commands of each, and what they print.

/// A page, or a section of it.
pub struct Scene {
    pub page: &'static str,
    /// The heading of the section; all of the page if it is empty.
    pub section: &'static str,
    /// A script that makes what the page takes for given.
    pub before: &'static str,
    /// A script that fails if the commands did not do what the page says.
    pub after: &'static str,
}

/// Functions for these scripts.
pub const FUNCTIONS: &str = r#"
# mailsetup is installed and its socket listens.
installed() {
    make install >/dev/null
    systemctl daemon-reload
    systemctl enable -q --now mailsetup.socket
}
# The domains are those of a list.
listed() {
    mkdir -p /etc/postfix /etc/mailsetup
    echo 'example.org OK' >/etc/postfix/virtual_domains
    printf '[domains]\nlist_files = ["/etc/postfix/virtual_domains"]\n' >/etc/mailsetup/config.toml
}
# A certificate at the path of the files in contrib.
certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=example.org \
        -addext subjectAltName=DNS:example.org,DNS:*.example.org \
        -out /etc/ssl/certs/mailsetup.pem -keyout /etc/ssl/private/mailsetup.key 2>/dev/null
}
# This machine trusts it, as it does a public one.
trusted() {
    cp /etc/ssl/certs/mailsetup.pem /usr/local/share/ca-certificates/test.crt
    update-ca-certificates >/dev/null
}
# The site of nginx, with a line in it.
nginx_site() {
    certificate
    cat >/etc/nginx/sites-available/default <<END
server {
    listen 80;
    listen 443 ssl;
    server_name example.org autoconfig.example.org autodiscover.example.org;
    ssl_certificate /etc/ssl/certs/mailsetup.pem;
    ssl_certificate_key /etc/ssl/private/mailsetup.key;
    root /var/www/html;
    $1
}
END
}
# A frontend of HAProxy, with the lines that its file has for it.
haproxy_frontend() {
    printf 'frontend http\n    mode http\n    bind :80\n' >>/etc/haproxy/haproxy.cfg
    sed -n 's/^#     \([a-z]\)/    \1/p' "contrib/haproxy/$1" >>/etc/haproxy/haproxy.cfg
}
# What answered before, at the paths of the page: scripts and configurations.
old_responders() {
    old=tests/fixtures/takeover
    mkdir -p /var/www/autoconfig /var/lib/automx2 /srv/autodiscover
    cp -r $old/php-heredoc/site/. /var/www/autoconfig
    cp $old/php-html/site/mail/config-v1.1.xml /var/www/autoconfig/mail/
    cp $old/automx2-seed/seed.json /var/lib/automx2/
    cp $old/automx-1/automx.conf /etc/
    cp $old/monogramm-ssl/docker-compose.yml $old/monogramm-starttls/autodiscover.env /srv/autodiscover/
}
# A source of logins for the domain.
has_own_login() {
    mkdir -p /etc/mailsetup
    printf '[login]\n%s\n[domain."example.org"]\n' "$1" >/etc/mailsetup/config.toml
}
# Dovecot runs, and its user database has the login.
dovecot_knows_it() {
    cat >/etc/dovecot/local.conf <<'END'
protocols =
first_valid_uid = 1
userdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/mailboxes
}
END
    echo 'anna.smith@example.org::8:8::/var/mail/x::userdb_user=asmith' >/etc/dovecot/mailboxes
    chmod 644 /etc/dovecot/mailboxes
    systemctl start dovecot
}
# The service answers with that login, restricted by its unit.
asmith_is_answered() {
    cp contrib/nginx/mailsetup.conf /etc/nginx/snippets/
    nginx_site 'include snippets/mailsetup.conf;'
    systemctl restart nginx
    asked='http://example.org/mail/config-v1.1.xml?emailaddress=anna.smith@example.org'
    curl -s "$asked" | grep '<username>asmith</username>' || {
        curl -si "$asked"
        journalctl -n 20 -u 'mailsetup*' -u 'socketmap*' -u dovecot
        return 1
    }
    # The unit is that of contrib, with one line more.
    [ "$(systemctl show --property PrivateNetwork --value mailsetup.service)" = yes ]
}
# Clients get settings over http, and those over https if the second word is "https".
answers() {
    for try in $(seq 50); do
        if curl -s "http://$1/mail/config-v1.1.xml?emailaddress=ann@example.org" |
            grep -q '<emailProvider'; then break; fi
        [ "$try" -lt 50 ] || { curl -si "http://$1/mail/config-v1.1.xml"; return 1; }
        sleep 0.1
    done
    [ "$2" != https ] || curl -sk "https://$1/mail/config-v1.1.xml" | grep -q '<emailProvider'
}
"#;

const fn scene(page: &'static str, section: &'static str, before: &'static str) -> Scene {
    Scene { page, section, before, after: "true" }
}

/// A section about a web server; the site answers after it.
const fn server(section: &'static str, before: &'static str, after: &'static str) -> Scene {
    Scene { page: "docs/hook-up.md", section, before, after }
}

/// All pages and sections with commands.
pub const SCENES: &[Scene] = &[
    Scene {
        page: "README.md",
        section: "",
        // The line of the page is written into the site once nginx runs.
        before: "old_responders; nginx_site; systemctl start nginx; \
                 nginx_site 'include snippets/mailsetup.conf;'",
        after: "answers autoconfig.example.org https; \
                grep -q 'Imported from /var/www/autoconfig/mail' /etc/mailsetup/config.toml",
    },
    scene("CONTRIBUTING.md", "", "true"),
    scene("docs/install.md", "From source", "true"),
    scene("docs/install.md", "The service", "make install"),
    scene("docs/install.md", "Without systemd", "make install"),
    scene("docs/install.md", "Next", "installed"),
    scene("docs/install.md", "Update", "installed"),
    Scene {
        page: "docs/install.md",
        section: "Remove",
        before: "installed",
        after: "! [ -e /usr/local/bin/mailsetup ] && ! [ -e /run/mailsetup.sock ]",
    },
    scene("docs/configuration.md", "", "installed; systemctl start mailsetup.service"),
    scene("docs/container.md", "", "true"),
    scene(
        "docs/dns.md",
        "",
        "installed; mkdir -p /etc/mailsetup; \
         printf '[domain.\"%s\"]\n' example.org mail.example.org >/etc/mailsetup/config.toml",
    ),
    Scene {
        page: "docs/domains-from-databases.md",
        section: "Every ten minutes",
        // The tables are in SQLite: another file of settings is read behind that of the page.
        before: r#"installed
            mkdir -p /var/lib/mail /etc/systemd/system/mailsetup-export-domains.service.d
            cat tests/tables/postfixadmin.sqlite.sql tests/tables/postfixadmin.rows.sql |
                sqlite3 /var/lib/mail/postfixadmin.sqlite
            printf 'CLIENT=sqlite3\nDATABASE=/var/lib/mail/postfixadmin.sqlite\n' >/etc/export-test.conf
            printf '[Service]\nEnvironmentFile=/etc/export-test.conf\n' \
                >/etc/systemd/system/mailsetup-export-domains.service.d/test.conf"#,
        after: r#"printf '[domains]\nlist_files = ["/var/lib/mailsetup-export/domains"]\n' >/etc/mailsetup/config.toml
            mailsetup check --strict
            grep -qx example.net /var/lib/mailsetup-export/domains
            ! grep ALL /var/lib/mailsetup-export/domains
            systemctl is-active mailsetup-export-domains.timer
            systemctl start mailsetup.service
            echo 'SELECT x' >/etc/mailsetup/export.sql
            ! systemctl start mailsetup-export-domains.service
            systemctl is-failed mailsetup-export-domains.service
            grep -qx example.net /var/lib/mailsetup-export/domains"#,
    },
    Scene {
        page: "docs/import.md",
        section: "",
        // nginx has the snippet before it is asked: a reload takes a moment.
        before: "installed; old_responders; cp contrib/nginx/mailsetup.conf /etc/nginx/snippets/; \
                 nginx_site 'include snippets/mailsetup.conf;'; trusted; systemctl start nginx",
        after: "answers autoconfig.example.org https",
    },
    scene("docs/logins.md", "A rule", "installed"),
    Scene {
        page: "docs/logins.md",
        section: "A file",
        before: r#"installed; has_own_login 'map = "logins"'; dovecot_knows_it"#,
        after: "asmith_is_answered",
    },
    Scene {
        page: "docs/logins.md",
        section: "A socketmap",
        before: r#"installed
            has_own_login 'socketmap = "unix:/run/socketmap-sqlite/socket:logins"'
            mkdir -p /var/lib/mail
            python3 -c 'import sqlite3; d = sqlite3.connect("/var/lib/mail/users.sqlite")
d.execute("CREATE TABLE users (email, login)")
d.execute("INSERT INTO users VALUES (?, ?)", ("anna.smith@example.org", "asmith")); d.commit()'"#,
        after: "asmith_is_answered",
    },
    Scene {
        page: "docs/logins.md",
        section: "Dovecot",
        before: r#"installed
            has_own_login 'userdb = "/run/dovecot/mailsetup-userdb"'; dovecot_knows_it"#,
        after: "asmith_is_answered; systemctl restart dovecot; sleep 11; asmith_is_answered",
    },
    scene("docs/many-domains.md", "Which way", "installed; listed"),
    scene("docs/many-domains.md", "The names", "installed; listed"),
    Scene {
        page: "docs/many-domains.md",
        section: "Caddy: certificates on demand",
        before: "installed; systemctl start caddy; listed; \
                 echo 'ask_path = \"/mailsetup/ask\"' >>/etc/mailsetup/config.toml",
        after: "answers autoconfig.example.org; \
                curl -s 'http://127.0.0.1:8026/mailsetup/ask?domain=autoconfig.example.org' | \
                grep -q 'needs a certificate'; \
                ! curl -sk https://autoconfig.example.net/ --resolve autoconfig.example.net:443:127.0.0.1",
    },
    scene("docs/monitoring.md", "", "installed"),
    scene("docs/outlook.md", "", "installed"),
    scene(
        "docs/panels.md",
        "",
        "installed; cp contrib/nginx/mailsetup.conf /etc/nginx/snippets/; \
         nginx_site 'include snippets/mailsetup.conf;'; systemctl start nginx",
    ),
    Scene {
        page: "docs/packaging.md",
        section: "Install",
        before: "true",
        after: "/tmp/stage/usr/bin/mailsetup --version",
    },
    scene("docs/performance.md", "", "true"),
    scene("docs/reliability.md", "", "true"),
    Scene {
        page: "docs/scale.md",
        section: "The machines behind a web server",
        before: "installed; certificate; ip link set lo up; ip address add 192.0.2.12/32 dev lo; \
                 systemctl start nginx",
        // The two sockets of the service are the first two machines; the third is away.
        after: "cp contrib/many-machines/nginx.conf /etc/nginx/sites-enabled/mailsetup.conf; \
                nginx -s reload; answers autoconfig.example.org https; \
                for try in $(seq 20); do answers autoconfig.example.org; done; \
                grep -q 192.0.2.13 /var/log/nginx/error.log; \
                ! grep 192.0.2.12 /var/log/nginx/error.log",
    },
    scene("docs/scale.md", "Files to the machines", "installed"),
    scene("docs/scale.md", "Updates", "installed; systemctl start mailsetup.service"),
    scene("docs/signing.md", "", "installed"),
    scene("docs/translating.md", "", "true"),
    scene(
        "docs/troubleshooting.md",
        "",
        "installed; cp contrib/nginx/mailsetup.conf /etc/nginx/snippets/; \
         nginx_site 'include snippets/mailsetup.conf;'; systemctl start nginx",
    ),
    server("The command", "installed", "true"),
    server("The service", "make install", "[ -S /run/mailsetup.sock ]"),
    server(
        "nginx",
        "installed; nginx_site; systemctl start nginx; \
         nginx_site 'include snippets/mailsetup.conf;'",
        "answers example.org https",
    ),
    server(
        "nginx, dedicated host names",
        "installed; certificate; systemctl start nginx",
        "answers autoconfig.example.org https",
    ),
    server(
        "nginx with fcgiwrap",
        "make install; nginx_site; systemctl start nginx fcgiwrap.socket; \
         nginx_site 'include snippets/mailsetup-fcgiwrap.conf;'",
        "answers example.org https",
    ),
    server("Apache", "installed; systemctl start apache2", "answers example.org"),
    server(
        "Apache, dedicated host names",
        "installed; certificate; systemctl start apache2",
        "answers autoconfig.example.org https",
    ),
    server("Apache with mod_fcgid", "make install; systemctl start apache2", "answers example.org"),
    server("Apache, CGI", "make install; systemctl start apache2", "answers example.org"),
    server("lighttpd", "installed; systemctl start lighttpd", "answers example.org"),
    server("lighttpd, CGI", "make install; systemctl start lighttpd", "answers example.org"),
    server(
        "Caddy",
        "installed; systemctl start caddy; \
         printf 'http://example.org {\n import mailsetup\n}\n' >/etc/caddy/Caddyfile",
        "answers example.org",
    ),
    server(
        "Caddy, dedicated host names",
        "installed; systemctl start caddy",
        "answers autoconfig.example.org",
    ),
    server(
        "HAProxy",
        "installed; systemctl start haproxy; haproxy_frontend mailsetup.cfg",
        "answers example.org",
    ),
    server(
        "HAProxy over HTTP",
        "installed; systemctl start haproxy; haproxy_frontend mailsetup-http.cfg",
        "answers example.org",
    ),
    server(
        "h2o",
        "installed; certificate; systemctl start h2o",
        "answers autoconfig.example.org https",
    ),
    server("Any proxy", "make install", "answers 127.0.0.1:8025"),
    server(
        "Does it work?",
        "installed; certificate; systemctl start nginx; \
         cp contrib/nginx/vhost.conf /etc/nginx/sites-enabled/; nginx -s reload; trusted",
        "true",
    ),
];

/// Sections whose commands another test runs, in full or in another form, because they take minutes
/// or need a network.
pub const OTHER_TESTS: &[(&str, &str, &str)] = &[
    // On mail hosts, whose domains are in a database; the outputs of others are fixtures.
    ("docs/init.md", "", "tests/clients/init.rs"),
    ("docs/install.md", "Debian", "tests/packages/run.sh"),
    ("docs/packaging.md", "Requirements", "tests/oldest.sh"),
    ("docs/packaging.md", "Build", "packaging/check.sh"),
    ("docs/packaging.md", "Source tarball", "packaging/check.sh"),
    ("docs/packaging.md", "Debian", "tests/packages/run.sh"),
    ("docs/packaging.md", "RPM", "tests/packages/run.sh"),
    ("docs/packaging.md", "Static", "tests/static.sh"),
    ("docs/packaging.md", "Tests", ".ci/run"),
    // All commands of the page, and `mailsetup probe` of others, with servers that it can ask.
    ("docs/probe.md", "", "tests/laboratory/examples.rs"),
];

/// Commands that do not end: they are started in the background, and the port must answer.
pub const SERVICES: [(&str, u16); 1] = [("make run", 8025)];

/// What a command prints; the longest beginning that fits decides. `curl` and `mailsetup` always
/// have a line here.
pub const PRINTS: &[(&str, &str)] = &[
    ("curl 'http://127.0.0.1:8025/mail/config-v1.1.xml", "<emailProvider"),
    ("curl 'http://127.0.0.1:8025/mobileconfig", "com.apple.mail.managed"),
    ("curl -H 'Content-Type: text/xml' http://127.0.0.1:8025/autodiscover", "<LoginName>ann@"),
    ("curl -i 'http://autoconfig.example.org/mail/config-v1.1.xml", "<emailProvider"),
    ("curl -i https://autodiscover.example.org/AutoDiscover/AutoDiscover.XML", "<Protocol>"),
    ("curl -i 'https://autoconfig.example.org/mobileconfig", "com.apple.mail.managed"),
    ("mailsetup dns example.org", "_imaps._tcp.example.org."),
    ("mailsetup dns --all", "_imaps._tcp.example.org."),
    ("mailsetup names", "autoconfig.example.org"),
    ("mailsetup check", "no errors"),
    ("mailsetup check --explain", "auth-ntlm"),
    ("mailsetup hook", ""),
    ("mailsetup hook nginx --socket 127.0.0.1:9000", "fastcgi_pass 127.0.0.1:9000;"),
    ("mailsetup show ann@example.org", "<emailProvider"),
    ("mailsetup show anna.smith@example.org", "<username>asmith</username>"),
    ("setpriv --reuid nobody", "<username>asmith</username>"),
    ("postmap -q anna.smith@example.org", "asmith"),
    ("doveadm user -a /run/dovecot/mailsetup-userdb", "asmith"),
    ("mailsetup show ann@example.org --client outlook", "<LoginName>ann@"),
    ("mailsetup show ann@example.org --client dns", "_imaps._tcp"),
    ("mailsetup import /var/www", "read as PHP script"),
    ("mailsetup import --stdout", "host = \""),
    // These go to a file.
    ("curl -s 'https://autoconfig.example.org/mail/config-v1.1.xml", ""),
    ("curl -s -H 'Content-Type: text/xml' https://autodiscover.example.org", ""),
    ("mailsetup show ann@example.org --client thunderbird >/tmp/new.xml", ""),
    ("mailsetup dns --all --web-host www.example.org --format nsupdate >updates", ""),
    ("mailsetup dns --all --web-host www.example.org --format octodns", ""),
    ("mailsetup dns --all --web-host www.example.org --format powerdns >zones", ""),
    ("mailsetup dns --all --web-host www.example.org --format terraform >new", ""),
    ("mailsetup show ann@example.org --client apple > ann.mobileconfig", ""),
    ("mailsetup show ann@example.org --client outlook --local-xml", ""),
    ("mailsetup show ann@example.org --client outlook >outlook.xml", ""),
];

/// Commands that other steps run, because each takes minutes or, as `mailsetup probe`, needs the
/// servers of a domain.
pub const ELSEWHERE: &[&str] = &[
    "cargo test",
    "make bench",
    "make deb",
    "make deny",
    "make dist",
    "make dist-check",
    "make fuzz",
    "make fuzz-minimise",
    "make hosting",
    "make image",
    "make lint",
    "make release-check",
    "make soak",
    "make static",
    "make test",
    "make test-clients",
    "make test-clients-debian13",
    "make test-container",
    "make test-debian13",
    "make test-dns",
    "make test-hosting",
    "make test-init",
    "make test-logins",
    "make test-packages",
    "make test-page",
    "make test-probe",
    "make test-tables",
    "make test-takeover",
    "mailsetup probe",
    "sh tests/debian13.sh",
];
