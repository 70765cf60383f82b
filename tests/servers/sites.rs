//! Settings of sites around the files of contrib: rewrites, redirects to https, passwords, their
//! own paths. Each is tested with the real server.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use super::{HTTP, SOCKET, apache, caddy, h2o, haproxy, hooked, lighttpd, nginx};
use crate::common::fcgi;
use crate::common::http::{self, Request, Response};
use crate::common::namespace::Namespace;
use crate::common::{Process, command, run, wait_until, write};

const CONFIG: &str = "[domain.\"example.org\"]\n";
const ANN: &str = "emailaddress=ann@example.org";

/// One target of each document, and one in another letter case.
pub const OURS: [&str; 5] = [
    "/mail/config-v1.1.xml?emailaddress=ann@example.org",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/AutoDiscover/AutoDiscover.XML",
    "/autodiscover/autodiscover.json/v1.0/ann@example.org?Protocol=AutodiscoverV1",
    "/mobileconfig?emailaddress=ann@example.org",
];

/// Lines of a site, the check for the paths of this program, and the status of the site's own file.
type Rule<'a> = (&'a str, fn(&str), u16);

/// Runs `test` in a namespace with a configuration for example.org.
pub fn world(test: impl FnOnce(&Namespace) + Send) {
    Namespace::run(|world| {
        write(Path::new("/etc/mailsetup/config.toml"), CONFIG);
        test(world);
    });
}

pub fn get(target: &str) -> Response {
    http::send(HTTP, &Request::get(target)).unwrap_or_else(|err| panic!("{target}: {err}"))
}

/// All documents are served.
fn ours_are_there(around: &str) {
    for target in OURS {
        let answer = get(target);
        assert_eq!(answer.status, 200, "{target} with {around}: {}", answer.text());
        assert!(answer.text().contains("example.org"), "{target}: {}", answer.text());
    }
}

/// The site's own file has this status.
fn theirs_gets(status: u16) {
    assert_eq!(get("/hello.txt").status, status, "the site's own file");
}

//------------ nginx ----------------------------------------------------------

const SNIPPET: &str = "include snippets/mailsetup.conf;";
const FCGIWRAP: &str = "include snippets/mailsetup-fcgiwrap.conf;";

/// Tests both snippets in a server block: `lines` contains `{}` at the place of the include.
fn in_nginx(lines: &str, check: fn(&str)) {
    world(|world| {
        let _server = nginx::snippet_in(world, &lines.replace("{}", SNIPPET));
        check(lines);
    });
    world(|world| {
        let _server = nginx::fcgiwrap_in(world, &lines.replace("{}", FCGIWRAP));
        check(lines);
    });
}

#[test]
fn nginx_rewrites() {
    let lines = "rewrite ^/autoconfig.xml$ /mail/config-v1.1.xml last;
        rewrite ^/for/(.+)$ /mail/config-v1.1.xml?emailaddress=$1 last;
        location = /iphone { rewrite ^ /mobileconfig last; }
        {}
        location / { try_files $uri =404; }";
    in_nginx(lines, rewritten);
}

/// Checks the responses after the rewrites that each server here has.
fn rewritten(around: &str) {
    for target in [&format!("/autoconfig.xml?{ANN}"), "/autoconfig.xml", "/for/ann@example.org"] {
        let answer = get(target);
        assert!(
            answer.status == 200 && answer.text().contains("<clientConfig"),
            "{target} with {around}: {} {}",
            answer.status,
            answer.text()
        );
    }
    let answer = get(&format!("/iphone?{ANN}"));
    assert!(answer.text().contains("ann@example.org"), "{}: {}", answer.status, answer.text());
    ours_are_there(around);
}

/// A `return` or `if` in the server block is evaluated before every location.
#[test]
fn nginx_redirects_to_https() {
    let redirected = |_: &str| {
        assert_eq!(get(OURS[0]).status, 301);
        theirs_gets(301);
    };
    let certbot = "if ($host = autoconfig.example.org) { return 301 https://$host$request_uri; }";
    in_nginx("return 301 https://$host$request_uri; {}", redirected);
    in_nginx(&format!("{certbot} {{}}"), redirected);
    // The form from docs/hook-up.md.
    in_nginx("{} location / { return 301 https://$host$request_uri; }", |around| {
        ours_are_there(around);
        theirs_gets(301);
    });
}

#[test]
fn nginx_password() {
    let lines = "auth_basic site; auth_basic_user_file /etc/nginx/htpasswd; {}";
    in_nginx(lines, |around| {
        ours_are_there(around);
        theirs_gets(401);
    });
}

/// The order matters, as described in contrib's comment.
#[test]
fn nginx_locations_of_the_site() {
    let hidden = |_: &str| assert_eq!(get(OURS[0]).status, 404);
    in_nginx("location ~* \\.(?:css|js|xml|json)$ { expires 1d; } {}", hidden);
    in_nginx("{} location ~* \\.(?:css|js|xml|json)$ { expires 1d; }", ours_are_there);
    in_nginx("{} location ^~ /mail/ { root /srv; }", hidden);
    in_nginx(
        "{} location ^~ /mail/ { {} root /srv; } location ^~ /.well-known/ { {} root /srv; }",
        ours_are_there,
    );
}

/// Some installations have SCRIPT_FILENAME there. fcgiwrap uses the first of two, which is not the
/// program.
#[test]
fn fastcgi_params_with_a_file_name_of_their_own() {
    world(|world| {
        let path = Path::new("/etc/nginx/fastcgi_params");
        let theirs = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n";
        let before = std::fs::read_to_string(path).expect("fastcgi_params");
        write(path, before + theirs);
        let lines = format!("include fastcgi_params; {FCGIWRAP}");
        let _server = nginx::fcgiwrap_in(world, &lines);
        ours_are_there(&lines);
    });
}

/// nginx passes on the host of the request line, else that of the Host field. The client's own
/// field is not passed on in addition; one that `fastcgi_params` adds comes before, and the last of
/// several is used.
#[test]
fn nginx_passes_one_host() {
    let theirs = "\nfastcgi_param HTTP_HOST $http_host;\n";
    for (more, expected) in [("", 1), (theirs, 2)] {
        world(|world| {
            let path = Path::new("/etc/nginx/fastcgi_params");
            let before = std::fs::read_to_string(path).expect("fastcgi_params");
            // seen: nginx 1.22 of Debian 12 has `HTTP_HOST $host` there since 2026.
            let lines = before.lines().filter(|line| !line.contains("HTTP_HOST"));
            write(path, lines.collect::<Vec<_>>().join("\n") + more);
            let recorder = Recorder::listen();
            let _server = nginx::snippet_alone(world, SNIPPET);
            for (request, host) in [
                (Request::get(OURS[0]).host("Autoconfig.Example.ORG:80"), "autoconfig.example.org"),
                (
                    Request::get(format!("http://autoconfig.example.org{}", OURS[0]))
                        .host("other.example"),
                    "autoconfig.example.org",
                ),
                // The name of the server block, as in SERVER_NAME.
                (Request::get(OURS[0]).http_1_0(), "_"),
            ] {
                let asked = String::from_utf8_lossy(&request.target).into_owned();
                http::send(HTTP, &request).unwrap_or_else(|err| panic!("{asked}: {err}"));
                let hosts = recorder.hosts();
                assert_eq!(hosts.last().map(String::as_str), Some(host), "{asked}: {hosts:?}");
                assert!(hosts.len() <= expected, "{asked}: {hosts:?}");
            }
        });
    }
}

#[test]
fn nginx_takes_the_host_of_the_request_line() {
    world(|world| {
        let _server = nginx::snippet_in(world, SNIPPET);
        host_of_the_request_line_counts();
    });
    world(|world| {
        let _server = nginx::fcgiwrap_in(world, FCGIWRAP);
        host_of_the_request_line_counts();
    });
    world(|world| {
        let _server = nginx::vhost(world);
        host_of_the_request_line_counts();
    });
}

fn host_of_the_request_line_counts() {
    let path = "/mail/config-v1.1.xml";
    for (line, host, status) in [
        ("autoconfig.example.org", "autoconfig.other.example", 200),
        ("autoconfig.other.example", "autoconfig.example.org", 404),
    ] {
        let request = Request::get(format!("http://{line}{path}")).host(host);
        let answer = http::send(HTTP, &request).expect("an answer");
        assert_eq!(answer.status, status, "{line}, {host}: {}", answer.text());
    }
}

/// A FastCGI program that records the hosts it is passed, and answers 404.
struct Recorder(mpsc::Receiver<Vec<String>>);

impl Recorder {
    fn listen() -> Recorder {
        let listener = UnixListener::bind(SOCKET).expect("bind");
        std::fs::set_permissions(SOCKET, Permissions::from_mode(0o666)).expect("chmod");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if sender.send(fcgi::answer_404(stream)).is_err() {
                    return;
                }
            }
        });
        Recorder(receiver)
    }

    /// Each HTTP_HOST of the next request, in their order.
    fn hosts(&self) -> Vec<String> {
        self.0.recv_timeout(http::TIMEOUT).expect("a request")
    }
}

//------------ Apache ---------------------------------------------------------

/// Tests the three files for existing sites together with lines of a virtual host and of a
/// `.htaccess`.
fn in_apache(lines: &str, htaccess: &str, check: fn(&str)) {
    for snippet in apache::SNIPPETS {
        world(|world| {
            let _servers = apache::snippet_beside(world, snippet, lines, htaccess);
            check(&format!("{}: {lines}{htaccess}", snippet.0));
        });
    }
}

#[test]
fn apache_rewrites() {
    let htaccess = "RewriteEngine On
        RewriteRule ^autoconfig\\.xml$ /mail/config-v1.1.xml [END]
        RewriteRule ^for/(.+)$ /mail/config-v1.1.xml?emailaddress=$1 [L]
        RewriteRule ^iphone$ /mobileconfig [L]";
    in_apache("", htaccess, rewritten);
}

#[test]
fn apache_rewrites_of_a_virtual_host() {
    let lines = "RewriteEngine On
        RewriteRule ^/autoconfig\\.xml$ /mail/config-v1.1.xml [PT]
        RewriteRule ^/for/(.+)$ /mail/config-v1.1.xml?emailaddress=$1 [PT]
        RewriteRule ^/iphone$ /mobileconfig [PT]";
    in_apache(lines, "", rewritten);
}

const CERTBOT: &str = "RewriteCond %{HTTP_HOST} =autoconfig.example.org
    RewriteRule ^ https://%{SERVER_NAME}%{REQUEST_URI} [END,NE,R=permanent]";

/// mod_rewrite is evaluated before every location.
#[test]
fn apache_redirects_to_https() {
    in_apache(&format!("RewriteEngine On\n{CERTBOT}"), "", |_| {
        assert_eq!(get(OURS[0]).status, 301);
        theirs_gets(301);
    });
    in_apache(
        &format!("RewriteEngine On\nRewriteCond %{{ENV:mailsetup}} =\"\"\n{CERTBOT}"),
        "",
        |around| {
            ours_are_there(around);
            theirs_gets(301);
        },
    );
    // It is evaluated before an Alias, too, but not before a ProxyPass.
    in_apache("Redirect permanent / https://autoconfig.example.org/", "", |around| {
        match around.contains("proxy_fcgi") {
            true => ours_are_there(around),
            false => assert_eq!(get(OURS[0]).status, 301),
        }
        theirs_gets(301);
    });
}

const PASSWORD: &str = "AuthType Basic
    AuthName site
    AuthUserFile /etc/apache2/htpasswd
    Require valid-user";

#[test]
fn apache_password() {
    let check = |around: &str| {
        ours_are_there(around);
        theirs_gets(401);
    };
    in_apache(&format!("<Location />\n{PASSWORD}\n</Location>"), "", check);
    in_apache(&format!("<Directory />\n{PASSWORD}\n</Directory>"), PASSWORD, check);
}

#[test]
fn apache_password_for_all_sites() {
    world(|world| {
        let lines = format!("<Location />\n{PASSWORD}\n</Location>");
        let _servers = apache::vhost_beside(world, &lines);
        ours_are_there(&lines);
    });
}

#[test]
fn apache_paths_of_the_site() {
    in_apache("Alias /mail /srv/webmail\nAliasMatch ^/autodiscover /srv/x", "", ours_are_there);
    in_apache("ScriptAlias /.well-known /srv/well-known", "", ours_are_there);
}

/// With a separate user for each site.
#[test]
fn apache_suexec() {
    for snippet in &apache::SNIPPETS[1..] {
        world(|world| {
            let _server = apache::suexec(world, *snippet);
            ours_are_there(snippet.0);
            let log = std::fs::read_to_string("/var/log/apache2/suexec.log").expect("a log");
            assert!(log.contains("cmd: mailsetup.cgi"), "{log}");
        });
    }
}

//------------ HAProxy --------------------------------------------------------

#[test]
fn haproxy_rules_of_the_site() {
    let rewrites = "http-request set-path /mail/config-v1.1.xml if { path /autoconfig.xml }
    http-request set-uri /mail/config-v1.1.xml?emailaddress=%[path,regsub(^/for/,)] if { path_beg /for/ }
    http-request set-path /mobileconfig if { path /iphone }";
    let redirect = "http-request redirect scheme https code 301 unless { ssl_fc }";
    let password = "http-request auth unless { http_auth(users) }";
    let except = |line: &str| line.replace(" unless", " unless mailsetup or");
    let cases: [Rule; 5] = [
        (rewrites, rewritten, 200),
        (redirect, |_| assert_eq!(get(OURS[0]).status, 301), 301),
        (&except(redirect), ours_are_there, 301),
        (password, |_| assert_eq!(get(OURS[0]).status, 401), 401),
        (&except(password), ours_are_there, 401),
    ];
    for (lines, check, theirs) in cases {
        for start in [haproxy::beside, haproxy::http_beside] {
            world(|world| {
                let _servers = start(world, lines);
                check(lines);
                theirs_gets(theirs);
            });
        }
    }
}

/// The check sends a request to the program itself; any response suffices.
#[test]
fn haproxy_health_check() {
    world(|world| {
        let mut servers = haproxy::checked_often(world);
        assert!(wait_until(|| haproxy::health() == "UP L7OK"), "{}", haproxy::health());
        ours_are_there("a check");
        drop(servers.remove(0));
        assert!(wait_until(|| haproxy::health().starts_with("DOWN ")), "{}", haproxy::health());
        assert_eq!(get(OURS[0]).status, 503);
    });
}

//------------ Caddy ----------------------------------------------------------

#[test]
fn caddy_rules_of_the_site() {
    let site = "root * /var/www/html";
    let rewrites = "root * /var/www/html
    rewrite /autoconfig.xml /mail/config-v1.1.xml?{query}
    @for path_regexp for ^/for/(.+)$
    rewrite @for /mail/config-v1.1.xml?emailaddress={re.for.1}
    rewrite /iphone /mobileconfig?{query}";
    let redirect = format!("{site}\n redir https://{{host}}{{uri}} permanent");
    let hash =
        run(command("caddy").env("HOME", "/root").args(["hash-password", "--plaintext", "secret"]));
    let password =
        format!("{site}\n basicauth {{\n ann {}\n }}", hash.lines().next().expect("a hash"));
    let except = |lines: &str| {
        lines
            .replace("redir ", "redir @not_mailsetup ")
            .replace("basicauth ", "basicauth @not_mailsetup ")
    };
    let cases: [Rule; 6] = [
        (site, ours_are_there, 200),
        (rewrites, rewritten, 200),
        (&redirect, |_| assert_eq!(get(OURS[0]).status, 301), 301),
        (&except(&redirect), ours_are_there, 301),
        (&password, |_| assert_eq!(get(OURS[0]).status, 401), 401),
        (&except(&password), ours_are_there, 401),
    ];
    for (lines, check, theirs) in cases {
        world(|world| {
            let _servers = caddy::beside(world, lines);
            check(lines);
            theirs_gets(theirs);
        });
    }
}

//------------ lighttpd -------------------------------------------------------

/// Tests both files together with one of the admin.
fn in_lighttpd(world: &Namespace, name: &str, lines: &str, check: fn(&str)) {
    for start in [lighttpd::fastcgi_beside, lighttpd::cgi_beside] {
        let servers = start(world, &[(name, lines)]);
        check(lines);
        drop(servers);
    }
}

const LIGHTTPD_REWRITES: &str = r#"server.modules += ( "mod_rewrite" )
url.rewrite-once = (
    "^/autoconfig\.xml(\?.*)?$" => "/mail/config-v1.1.xml$1",
    "^/for/(.+)$" => "/mail/config-v1.1.xml?emailaddress=$1",
    "^/iphone(\?.*)?$" => "/mobileconfig$1",
)
"#;
const LIGHTTPD_REDIRECT: &str = r#"$HTTP["scheme"] == "http" {
    url.redirect = ( "" => "https://${url.authority}${url.path}${qsa}" )
}
"#;
const LIGHTTPD_PASSWORD: &str = r#"server.modules += ( "mod_auth", "mod_authn_file" )
auth.backend = "plain"
auth.backend.plain.userfile = "/etc/lighttpd/users"
$HTTP["host"] =~ "" {
    auth.require = ( "" => ( "method" => "basic", "realm" => "site", "require" => "valid-user" ) )
}
"#;

/// From Debian's lighttpd.conf: it refused the mailboxes of `example.inc`.
const LIGHTTPD_DENIES: &str = "server.modules += ( \"mod_access\" )
url.access-deny = ( \"~\", \".inc\" )
";

fn beside_a_lighttpd_site(world: &Namespace) {
    in_lighttpd(world, "10-theirs.conf", LIGHTTPD_DENIES, |around| {
        ours_are_there(around);
        let folder = "/autodiscover/autodiscover.json/v1.0";
        let answer = get(&format!("{folder}/ann@example.inc?Protocol=AutodiscoverV1"));
        assert!(answer.text().starts_with("this domain is not configured"), "{}", answer.status);
        assert_eq!(get("/theirs.inc").status, 403);
    });
    in_lighttpd(world, "10-theirs.conf", LIGHTTPD_REWRITES, rewritten);
    in_lighttpd(world, "90-theirs.conf", LIGHTTPD_REWRITES, rewritten);
    in_lighttpd(world, "10-theirs.conf", LIGHTTPD_REDIRECT, |around| {
        ours_are_there(around);
        theirs_gets(301);
    });
    in_lighttpd(world, "10-theirs.conf", LIGHTTPD_PASSWORD, |around| {
        ours_are_there(around);
        theirs_gets(401);
    });
    // The last of several matching conditions is used.
    for (lines, check) in [
        (LIGHTTPD_REDIRECT, (|_| assert_eq!(get(OURS[0]).status, 301)) as fn(&str)),
        (LIGHTTPD_PASSWORD, |_| assert_eq!(get(OURS[0]).status, 401)),
    ] {
        in_lighttpd(world, "90-theirs.conf", lines, check);
    }
}

#[test]
fn lighttpd_rules_of_the_site() {
    world(beside_a_lighttpd_site);
}

/// lighttpd 1.4.79 did, and any version would if a condition of the admin sets `cgi.assign`.
#[test]
fn lighttpd_never_hands_out_the_program() {
    world(no_program_from_lighttpd);
}

fn no_program_from_lighttpd(world: &Namespace) {
    let theirs = "$HTTP[\"host\"] =~ \"\" { cgi.assign = ( \".pl\" => \"/usr/bin/perl\" ) }\n";
    let _server = lighttpd::cgi_beside(world, &[("60-theirs.conf", theirs)]);
    for target in ["/mail/config-v1.1.xml", "/Mobileconfig", "/mailsetup.cgi"] {
        let answer = get(target);
        assert!([403, 404].contains(&answer.status), "{target}: {}", answer.status);
        assert!(!answer.body.starts_with(b"\x7fELF"), "{target} is the program");
    }
}

//------------ Long paths -----------------------------------------------------

/// `mailsetup hook` refuses longer paths of sockets for each server.
#[test]
fn servers_connect_to_the_longest_path() {
    type Start = fn(&Namespace) -> Vec<Process>;
    let mut servers: Vec<(Start, usize)> = vec![
        (nginx::vhost, 107),
        (apache::proxy_fcgi, 95),
        (apache::vhost, 95),
        (lighttpd::fastcgi, 105),
        (caddy::start, 107),
        (haproxy::start, 91),
    ];
    servers.extend(h2o::is_packaged().then_some((h2o::start as Start, 107)));
    for (start, longest) in servers {
        let folder = "/run/mail-clients/";
        let socket = format!("unix:{folder}{}", "s".repeat(longest - folder.len()));
        world(|world| {
            let _servers = hooked(socket.leak(), start)(world);
            ours_are_there("a long path");
        });
    }
}

//------------ Files that are not served --------------------------------------

/// On shared hosting, the rule that hides files also hid the settings of `ann.key@example.org`, but
/// not the file `mailsetup.toml_old`.
#[test]
fn shared_hosting_hides_files_and_nobody_s_settings() {
    for server in [apache::htaccess, apache::htaccess_fcgid] {
        world(|world| {
            let _servers = server(world);
            let root = Path::new("/var/www/account");
            for name in [
                "mailsetup.toml",
                "mailsetup.toml~",
                "MAILSETUP.TOML.bak",
                "mailsetup.toml.1",
                "mailsetup.toml_old",
                "mailsetup.toml2",
                "mailsetup.toml.gz",
                ".mailsetup.toml.swp",
                "#mailsetup.toml#",
                "mailsetup.old",
                "mailsetup.cgi~",
                "profile.pem",
                "profile.key.txt",
                "profile.key1",
                "domains.d/example.org.toml",
                "domains.d/.example.org.toml.swo",
            ] {
                // The first is the configuration.
                if name != "mailsetup.toml" {
                    write(&root.join(name), "secret\n");
                }
                let answer = get(&format!("/{}", name.replace('#', "%23")));
                assert_eq!(answer.status, 404, "{name}");
            }
            for name in ["hello.txt", "keys.txt", "oldest.html"] {
                write(&root.join(name), "hello\n");
                assert_eq!(get(&format!("/{name}")).status, 200, "{name}");
            }
            for name in ["ann", "ann.key", "b.toml", "c.pem-d", "ann.crt+x", "old~"] {
                for version in ["v1.0", "V1.0"] {
                    let folder = format!("/autodiscover/autodiscover.json/{version}");
                    let query = "Protocol=AutodiscoverV1";
                    let answer = get(&format!("{folder}/{name}@example.org?{query}"));
                    assert_eq!(answer.status, 200, "{name} of {version}");
                }
            }
        });
    }
}

/// No server serves a configuration or a key next to the program.
#[test]
fn what_lies_beside_the_program_stays_inside() {
    in_nginx("{}", beside_the_program);
    in_apache("ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/", "", beside_the_program);
    world(|world| in_lighttpd(world, "10-cgi.conf", LIGHTTPD_CGI, beside_the_program));
}

fn beside_the_program(around: &str) {
    let folder = Path::new("/usr/lib/cgi-bin");
    for name in ["mailsetup.toml", "mailsetup.toml~", "profile.key"] {
        write(&folder.join(name), CONFIG);
        for parent in ["/", "/cgi-bin/", "/mail/", "/mailsetup.cgi/", "/mobileconfig/../"] {
            let answer = get(&format!("{parent}{name}"));
            let text = answer.text();
            assert!(!text.contains("[domain"), "{parent}{name} with {around}: {text}");
        }
    }
    ours_are_there(around);
}

/// Debian's 10-cgi.conf.
const LIGHTTPD_CGI: &str = r#"server.modules += ( "mod_cgi", "mod_alias" )
$HTTP["url"] =~ "^/cgi-bin/" {
    alias.url += ( "/cgi-bin/" => "/usr/lib/cgi-bin/" )
    cgi.assign = ( "" => "" )
}
"#;
