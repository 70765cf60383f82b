//! Faults of the web servers: status, redirects, media types, what they refuse.

use super::{AUTOCONFIG, AUTODISCOVER, DOMAIN, FAULT, Fault};
use crate::common::write;
use crate::net::WEB;
use crate::shapes;
use crate::web::{Host, NOTHING, RESPONDER};
use crate::world::{Scene, World};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

const CONFIG: &str = "https://autoconfig.example.org/mail/config-v1.1.xml";
const POX: &str = "https://autodiscover.example.org/autodiscover/autodiscover.xml";
const PAGE: &str = "default_type text/html;\nreturn 200 '<html><body>Welcome<br></body></html>';\n";

pub const FAULTS: &[Fault] = &[
    Fault {
        name: "autoconfig-404",
        about: "`autoconfig.` says 404",
        plant: |_, scene| scene.host(AUTOCONFIG).does("return 404;\n"),
        code: "autoconfig-absent",
        subject: CONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-403",
        about: "`autoconfig.` says 403",
        plant: |_, scene| scene.host(AUTOCONFIG).does("return 403;\n"),
        code: "http-403",
        subject: CONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-401",
        about: "`autoconfig.` wants a password",
        plant: |_, scene| {
            scene.host(AUTOCONFIG).does(
                "auth_basic \"closed\";\nauth_basic_user_file /dev/null;\nroot /var/www/html;\n",
            );
        },
        code: "http-401",
        subject: CONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-500",
        about: "`autoconfig.` says 500",
        plant: |_, scene| scene.host(AUTOCONFIG).does("return 500;\n"),
        code: "http-5xx",
        subject: CONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "autoconfig-page",
        about: "`autoconfig.` says 200 with a page to everything",
        plant: |_, scene| scene.host(AUTOCONFIG).does(PAGE),
        code: "doc-web-page",
        subject: CONFIG,
        clients: &["thunderbird", "geary"],
        ..FAULT
    },
    Fault {
        name: "domain-page",
        about: "the domain says 200 with a page to everything",
        plant: |_, scene| scene.host(DOMAIN).does(PAGE),
        code: "doc-web-page",
        subject: "https://example.org/autodiscover/autodiscover.xml",
        clients: &["autodetect"],
        ..FAULT
    },
    Fault {
        name: "redirect-elsewhere",
        about: "`autoconfig.` redirects to another host",
        plant: |_, scene| {
            let line = "location ~* config-v1 { \
                        return 301 https://example.org/.well-known/autoconfig$request_uri; }\n";
            scene.host(AUTOCONFIG).does_first(line);
        },
        code: "redirect",
        subject: CONFIG,
        clients: &["pimalaya"],
        ..FAULT
    },
    Fault {
        name: "redirect-drops-path",
        about: "the domain redirects everything to its home page, and has no `autoconfig.`",
        plant: |_, scene| {
            scene.zone.set("www.example.org", "CNAME", "example.org.");
            scene.hosts.push(Host::new("www.example.org", NOTHING));
            scene.host(DOMAIN).does("return 301 https://www.example.org/;\n");
            scene.zone.remove(AUTOCONFIG, "ANY");
        },
        code: "redirect-path",
        subject: "https://example.org/.well-known/autoconfig/mail/config-v1.1.xml",
        clients: &["evolution", "kmail"],
        also: &[
            ("autoconfig-absent", "there is no other autoconfig"),
            ("redirect", "Pimalaya follows no redirect at all"),
        ],
        ..FAULT
    },
    Fault {
        name: "redirect-to-https",
        about: "every http request is redirected to https, with its path",
        plant: |_, scene| {
            for host in scene.hosts.iter_mut().filter(|host| host.name.ends_with(DOMAIN)) {
                host.http = Some("return 301 https://$host$request_uri;\n".to_owned());
            }
        },
        ..FAULT
    },
    Fault {
        name: "redirect-loop",
        about: "`autoconfig.` redirects to itself",
        plant: |_, scene| {
            scene.host(AUTOCONFIG).does("return 302 https://autoconfig.example.org$request_uri;\n");
        },
        code: "redirect-loop",
        subject: CONFIG,
        clients: &["geary"],
        ..FAULT
    },
    Fault {
        name: "redirect-post",
        about: "`autodiscover.` redirects POST by 302, which turns it into GET",
        plant: |_, scene| {
            scene.zone.set("settings.example.org", "A", WEB);
            // As a server with Exchange: GET is not for it.
            let host = Host::new(
                "settings.example.org",
                &format!("if ($request_method = GET) {{ return 405; }}\n{RESPONDER}"),
            );
            scene.hosts.push(host);
            scene.host(AUTODISCOVER).does("return 302 https://settings.example.org$request_uri;\n");
        },
        code: "redirect-post",
        subject: POX,
        clients: &["em-client"],
        ..FAULT
    },
    Fault {
        name: "media-type-html",
        about: "the document has the media type `text/html`",
        plant: |world, scene| typed(world, scene, "default_type text/html;"),
        code: "doc-media-type",
        subject: CONFIG,
        clients: &["thunderbird"],
        ..FAULT
    },
    Fault {
        name: "media-type-plain",
        about: "the document has the media type `text/plain`",
        plant: |world, scene| typed(world, scene, "default_type text/plain;"),
        code: "doc-media-type",
        subject: CONFIG,
        clients: &["thunderbird"],
        ..FAULT
    },
    Fault {
        name: "media-type-capitals",
        about: "the media type has capital letters: `Text/XML`",
        plant: |world, scene| typed(world, scene, "default_type Text/XML;"),
        code: "doc-media-type",
        subject: CONFIG,
        clients: &["thunderbird"],
        ..FAULT
    },
    Fault {
        name: "media-type-none",
        about: "the document has no media type",
        plant: |world, scene| typed(world, scene, "default_type '';"),
        code: "doc-media-type",
        subject: CONFIG,
        clients: &["thunderbird"],
        ..FAULT
    },
    Fault {
        name: "coding-not-asked-for",
        about: "the document is compressed, also for clients that did not ask for that",
        plant: |world, scene| {
            let document = document(world, scene);
            write(Path::new("/var/lib/static/packed"), gzip(document.as_bytes()));
            scene.host(AUTOCONFIG).does_first(
                "location ~* config-v1 { types { } default_type text/xml; add_header Content-Encoding gzip; \
                 root /var/lib/static; try_files /packed =404; }\n",
            );
        },
        code: "doc-compressed",
        subject: CONFIG,
        clients: &["delta-chat", "pimalaya"],
        ..FAULT
    },
    Fault {
        name: "needs-address",
        about: "a request without `emailaddress` is refused",
        plant: |_, scene| {
            let line = "if ($arg_emailaddress = '') { return 400; }\n";
            scene.host(AUTOCONFIG).does_first(line);
        },
        code: "address-required",
        subject: CONFIG,
        clients: &["geary", "kmail"],
        ..FAULT
    },
    Fault {
        name: "refuses-agents",
        about: "requests without the User-Agent of a browser get 403",
        plant: |_, scene| {
            for name in [DOMAIN, AUTOCONFIG, AUTODISCOVER] {
                let line = "if ($http_user_agent !~ ^Mozilla) { return 403; }\n";
                scene.host(name).does_first(line);
            }
        },
        code: "agent-refused",
        subject: "autoconfig.example.org",
        clients: &["delta-chat"],
        ..FAULT
    },
    Fault {
        name: "path-case",
        about: "`/Autodiscover/Autodiscover.xml`, in capital letters, gets 404",
        plant: |_, scene| {
            for name in [DOMAIN, AUTODISCOVER] {
                scene.host(name).does_first("location ~ ^/Autodiscover/ { return 404; }\n");
            }
        },
        code: "path-case",
        subject: "https://autodiscover.example.org/Autodiscover/Autodiscover.xml",
        ..FAULT
    },
    Fault {
        name: "autodiscover-401",
        about: "`autodiscover.` wants a password",
        plant: |_, scene| {
            for name in [DOMAIN, AUTODISCOVER] {
                scene.host(name).does_first(
                    "location ~* ^/autodiscover/ { auth_basic \"closed\"; \
                     auth_basic_user_file /dev/null; }\n",
                );
            }
        },
        code: "http-401",
        subject: POX,
        clients: &["outlook-2016"],
        also: &[("http-401", "it is so at the domain, too")],
        ..FAULT
    },
    Fault {
        name: "autodiscover-no-post",
        about: "`autodiscover.` says 405 to POST",
        plant: |_, scene| {
            for name in [DOMAIN, AUTODISCOVER] {
                scene.host(name).does_first("if ($request_method = POST) { return 405; }\n");
            }
        },
        code: "post-refused",
        subject: POX,
        clients: &["em-client", "outlook-2010"],
        also: &[("post-refused", "it is so at the domain, too")],
        ..FAULT
    },
    Fault {
        name: "slow",
        about: "`autoconfig.` takes 6 seconds",
        plant: |world, scene| {
            let document = document(world, scene);
            write(Path::new("/var/lib/static/slow.xml"), document);
            scene.host(AUTOCONFIG).does_first(
                "location ~* config-v1 { echo_sleep 6; echo_exec /slow.xml; }\n\
                 location = /slow.xml { internal; root /var/lib/static; }\n",
            );
        },
        code: "slow",
        subject: CONFIG,
        clients: &["emailengine"],
        ..FAULT
    },
    Fault {
        name: "autodiscover-hangs",
        about: "`autodiscover.` takes a connection, and never answers",
        plant: |_, scene| {
            scene.host(AUTODISCOVER).does("location / { echo_sleep 120; echo late; }\n");
        },
        code: "http-timeout",
        subject: POX,
        clients: &["em-client"],
        ..FAULT
    },
    Fault {
        name: "profile-media-type",
        about: "the profile has another media type than Apple's",
        plant: |_, scene| {
            for name in [DOMAIN, AUTOCONFIG, AUTODISCOVER] {
                scene.host(name).does_first(
                    "location ~* mobileconfig { include fastcgi_params; \
                     fastcgi_param HTTP_HOST $host; fastcgi_pass unix:/run/mailsetup.sock; \
                     fastcgi_hide_header Content-Type; add_header Content-Type text/plain; }\n",
                );
            }
        },
        code: "profile-type",
        subject: "https://autoconfig.example.org/mobileconfig",
        clients: &["apple-mail"],
        ..FAULT
    },
    Fault {
        name: "profile-unsigned",
        about: "the profile is not signed",
        base: UNSIGNED,
        code: "profile-unsigned",
        subject: "https://autoconfig.example.org/mobileconfig",
        ..FAULT
    },
    Fault {
        name: "profile-expired",
        about: "the certificate that signs the profile has expired",
        plant: |world, scene| {
            // The responder does not sign with it: a file that was signed while it was valid.
            let unsigned = world.mailsetup(UNSIGNED, &["show", "--client", "apple", scene.address]);
            let signed = world.signed(unsigned.as_bytes());
            write(Path::new("/var/lib/static/profile"), signed);
            for name in [DOMAIN, AUTOCONFIG, AUTODISCOVER] {
                scene.host(name).does_first(
                    "location ~* mobileconfig { types { } \
                     default_type application/x-apple-aspen-config; root /var/lib/static; \
                     try_files /profile =404; }\n",
                );
            }
        },
        code: "profile-signature",
        subject: "https://autoconfig.example.org/mobileconfig",
        clients: &["apple-mail"],
        ..FAULT
    },
];

/// The configuration without a signer.
const UNSIGNED: &str = r#"pacc.enabled = true
provider.name = "Example Mail"
imap.host = "imap.example.org"
pop3.host = "pop.example.org"
smtp.host = "smtp.example.org"
smtp.port = 465
managesieve.enabled = true
managesieve.host = "mail.example.org"
[domain."example.org"]
"#;

/// The right document of autoconfig.
pub fn document(world: &mut World, scene: &Scene) -> String {
    world.mailsetup(shapes::OWN, &["show", "--client", "thunderbird", scene.address])
}

/// autoconfig. answers with a file, and this line about its media type.
fn typed(world: &mut World, scene: &mut Scene, line: &str) {
    write(Path::new("/var/lib/static/document"), document(world, scene));
    scene.host(AUTOCONFIG).does_first(&format!(
        "location ~* config-v1 {{ types {{ }} {line} root /var/lib/static; \
         try_files /document =404; }}\n"
    ));
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = crate::common::command("gzip");
    let mut child =
        gzip.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gzip is missing");
    child.stdin.take().expect("stdin").write_all(text).expect("write");
    child.wait_with_output().expect("gzip").stdout
}
