//! Faults in the documents.

use super::{AUTOCONFIG, AUTODISCOVER, DOMAIN, FAULT, Fault};
use crate::common::write;
use crate::world::{Scene, World};
use std::path::Path;

const CONFIG: &str = "https://autoconfig.example.org/mail/config-v1.1.xml";
const POX: &str = "https://autodiscover.example.org/autodiscover/autodiscover.xml";

const IMAP_HOST: &str = "<hostname>imap.example.org</hostname>";
const FIRST: &str = "<incomingServer type=\"imap\">";

pub const FAULTS: &[Fault] = &[
    Fault {
        name: "mark",
        about: "the document begins with a byte order mark",
        plant: |_, scene| scene.edit("<?xml version", "\u{feff}<?xml version"),
        code: "doc-mark",
        subject: CONFIG,
        clients: &["evolution"],
        ..FAULT
    },
    Fault {
        name: "late-start",
        about: "a blank line stands before the XML declaration",
        plant: |_, scene| scene.edit("<?xml version", "\n<?xml version"),
        code: "doc-late",
        subject: CONFIG,
        clients: &["thunderbird"],
        ..FAULT
    },
    Fault {
        name: "doctype",
        about: "the document has a DOCTYPE",
        plant: |_, scene| {
            scene.edit("<clientConfig version", "<!DOCTYPE clientConfig>\n<clientConfig version");
        },
        ..FAULT
    },
    Fault {
        name: "broken",
        about: "the document is not well-formed",
        plant: |_, scene| scene.edit("</emailProvider>", ""),
        code: "doc-broken",
        subject: CONFIG,
        clients: &["thunderbird", "evolution"],
        ..FAULT
    },
    Fault {
        name: "latin-1",
        about: "the document is in ISO-8859-1",
        plant: |world, scene| {
            let document = super::web::document(world, scene);
            let mut bytes = Vec::new();
            let document =
                document.replace("UTF-8", "ISO-8859-1").replace("Example Mail", "Exämple");
            for character in document.chars() {
                bytes.push(u8::try_from(u32::from(character)).expect("Latin-1"));
            }
            write(Path::new("/var/lib/static/latin"), bytes);
            for name in [DOMAIN, AUTOCONFIG] {
                scene.host(name).does_first(
                    "location ~* config-v1 { types { } default_type text/xml; \
                     root /var/lib/static; try_files /latin =404; }\n",
                );
            }
        },
        code: "doc-encoding",
        subject: CONFIG,
        clients: &["evolution", "pimalaya"],
        ..FAULT
    },
    Fault {
        name: "cdata",
        about: "the host stands in CDATA",
        plant: |_, scene| {
            scene.edit(IMAP_HOST, "<hostname><![CDATA[imap.example.org]]></hostname>");
        },
        code: "doc-cdata",
        subject: CONFIG,
        clients: &["evolution", "delta-chat"],
        ..FAULT
    },
    Fault {
        name: "reference",
        about: "the host has a character reference",
        plant: |_, scene| {
            scene.edit(IMAP_HOST, "<hostname>ima&#112;.example.org</hostname>");
        },
        code: "doc-reference",
        subject: CONFIG,
        clients: &["delta-chat"],
        ..FAULT
    },
    Fault {
        name: "prefix",
        about: "the elements have a prefix",
        plant: |_, scene| {
            scene.edit("<clientConfig version", "<m:clientConfig xmlns:m=\"urn:m\" version");
            scene.edit("</clientConfig>", "</m:clientConfig>");
            for element in ["emailProvider", "incomingServer", "outgoingServer", "hostname"] {
                scene.edit(&format!("<{element}"), &format!("<m:{element}"));
                scene.edit(&format!("</{element}"), &format!("</m:{element}"));
            }
        },
        code: "doc-prefix",
        subject: CONFIG,
        clients: &["thunderbird", "evolution", "delta-chat", "pimalaya"],
        ..FAULT
    },
    Fault {
        name: "attribute",
        about: "a server has an attribute other than `type`",
        plant: |_, scene| scene.edit(FIRST, "<incomingServer type=\"imap\" id=\"1\">"),
        code: "doc-attribute",
        subject: CONFIG,
        clients: &["evolution"],
        ..FAULT
    },
    Fault {
        name: "blanks",
        about: "a value stands on a line of its own, with blanks around it",
        plant: |_, scene| {
            scene.edit(
                "<socketType>SSL</socketType>",
                "<socketType>\n        SSL\n      </socketType>",
            );
        },
        code: "doc-white-space",
        subject: CONFIG,
        clients: &["thunderbird", "pimalaya"],
        ..FAULT
    },
    Fault {
        name: "username-empty",
        about: "a login is empty",
        plant: |_, scene| {
            scene.edit("<username>%EMAILADDRESS%</username>", "<username></username>")
        },
        code: "doc-username",
        subject: CONFIG,
        clients: &["thunderbird"],
        ..FAULT
    },
    Fault {
        name: "provider-id",
        about: "`emailProvider` has no `id`",
        plant: |_, scene| scene.edit("<emailProvider id=\"example.org\">", "<emailProvider>"),
        code: "doc-no-id",
        subject: CONFIG,
        clients: &["thunderbird", "pimalaya"],
        ..FAULT
    },
    Fault {
        name: "version",
        about: "`clientConfig` has no `version`",
        plant: |_, scene| scene.edit("<clientConfig version=\"1.1\">", "<clientConfig>"),
        code: "doc-no-version",
        subject: CONFIG,
        clients: &["pimalaya"],
        ..FAULT
    },
    Fault {
        name: "domain-element",
        about: "the document lists another domain",
        plant: |_, scene| {
            scene.edit("<domain>example.org</domain>", "<domain>example.net</domain>")
        },
        code: "doc-other-domain",
        subject: CONFIG,
        clients: &["sailfish-os"],
        ..FAULT
    },
    Fault {
        name: "socket-type-case",
        about: "`socketType` is in small letters",
        plant: |_, scene| {
            scene.edit("<socketType>SSL</socketType>", "<socketType>ssl</socketType>");
        },
        code: "doc-security",
        subject: CONFIG,
        clients: &["thunderbird", "pimalaya"],
        ..FAULT
    },
    Fault {
        name: "type-unknown",
        about: "the first server has a type that few clients know",
        plant: |_, scene| {
            scene.edit(FIRST, &format!("<incomingServer type=\"jmap\">{JMAP}{FIRST}"));
        },
        code: "doc-type",
        subject: CONFIG,
        clients: &["pimalaya"],
        also: &[("doc-imap-late", "Geary looks at the first server only")],
        ..FAULT
    },
    Fault {
        name: "plain",
        about: "a server is offered without TLS",
        plant: |_, scene| {
            scene.edit(
                "<port>465</port>\n      <socketType>SSL</socketType>",
                "<port>465</port>\n      <socketType>plain</socketType>",
            );
        },
        code: "doc-plain",
        subject: CONFIG,
        clients: &["thunderbird-for-android"],
        also: &[("mail-unfit", "the server on this port begins with TLS")],
        ..FAULT
    },
    Fault {
        name: "two-servers",
        about: "there are two IMAP servers, the second with STARTTLS",
        plant: |_, scene| {
            let second = "<incomingServer type=\"imap\"><hostname>imap.example.org</hostname>\
                          <port>143</port><socketType>STARTTLS</socketType>\
                          <authentication>password-cleartext</authentication>\
                          <username>%EMAILADDRESS%</username></incomingServer>\
                          <incomingServer type=\"pop3\">";
            scene.edit("<incomingServer type=\"pop3\">", second);
        },
        ..FAULT
    },
    Fault {
        name: "domain-placeholder",
        about: "a host has the placeholder `%EMAILDOMAIN%`",
        plant: |_, scene| scene.edit(IMAP_HOST, "<hostname>imap.%EMAILDOMAIN%</hostname>"),
        code: "doc-placeholder",
        subject: CONFIG,
        clients: &["aerc", "geary"],
        also: &[("mail-no-address", "Evolution leaves the placeholder out")],
        ..FAULT
    },
    Fault {
        name: "no-smtp",
        about: "the document has no server for sending",
        plant: |_, scene| {
            scene.edit("<outgoingServer type=\"smtp\">", "<!-- <outgoingServer type=\"smtp\">");
            scene.edit("</outgoingServer>", "</outgoingServer> -->");
        },
        code: "doc-no-smtp",
        subject: CONFIG,
        clients: &["thunderbird", "geary"],
        ..FAULT
    },
    Fault {
        name: "pop3-only",
        about: "the document has no IMAP server",
        plant: |_, scene| {
            scene.edit(FIRST, "<!-- <incomingServer type=\"imap\">");
            scene.edit("<incomingServer type=\"pop3\">", "--><incomingServer type=\"pop3\">");
        },
        code: "doc-no-imap",
        subject: CONFIG,
        clients: &["geary", "thunderbird-for-android"],
        ..FAULT
    },
    Fault {
        name: "method-unknown",
        about: "a method of authentication is not a word of the format",
        plant: |_, scene| scene.edit("password-cleartext", "password"),
        code: "doc-method",
        subject: CONFIG,
        clients: &["thunderbird", "pimalaya"],
        ..FAULT
    },
    Fault {
        name: "port-zero",
        about: "a port is missing",
        plant: |_, scene| scene.edit("<port>993</port>", "<port></port>"),
        code: "doc-port",
        subject: CONFIG,
        clients: &["thunderbird", "thunderbird-for-android"],
        ..FAULT
    },
    Fault {
        name: "pox-plain",
        about: "Autodiscover says `SSL` off and `Encryption` TLS",
        plant: |_, scene| {
            only_autodiscover(scene);
            scene.edit_pox("<SSL>on</SSL>", "<SSL>off</SSL>");
            scene.edit_pox("<Encryption>SSL</Encryption>", "<Encryption>TLS</Encryption>");
        },
        code: "pox-ssl-off",
        subject: POX,
        also: &[
            ("autoconfig-absent", "the domain has no autoconfig here"),
            ("well-known-absent", "the domain has no autoconfig here"),
            ("mail-unfit", "the servers on these ports begin with TLS"),
            ("pox-encryption", "the two words contradict each other"),
        ],
        ..FAULT
    },
    Fault {
        name: "pox-empty",
        about: "`Encryption` of Autodiscover is empty",
        plant: |_, scene| {
            only_autodiscover(scene);
            scene.edit_pox("<Encryption>SSL</Encryption>", "<Encryption></Encryption>");
        },
        code: "pox-empty",
        subject: POX,
        ..FAULT
    },
    Fault {
        name: "pox-type-case",
        about: "`Type` of Autodiscover is in small letters",
        plant: |_, scene| {
            only_autodiscover(scene);
            for kind in ["IMAP", "POP3", "SMTP"] {
                let small = kind.to_lowercase();
                scene.edit_pox(&format!("<Type>{kind}</Type>"), &format!("<Type>{small}</Type>"));
            }
        },
        code: "pox-type",
        subject: POX,
        ..FAULT
    },
    Fault {
        name: "pox-no-port",
        about: "a protocol of Autodiscover has no port",
        plant: |_, scene| {
            only_autodiscover(scene);
            scene.edit_pox("<Port>993</Port>", "");
        },
        code: "doc-port",
        subject: POX,
        also: NO_AUTOCONFIG,
        ..FAULT
    },
    Fault {
        name: "pox-error-for-get",
        about: "Autodiscover says 200 with an error document to GET",
        plant: |_, scene| {
            only_autodiscover(scene);
            write(Path::new("/var/lib/static/error.xml"), ERROR);
            for name in [DOMAIN, AUTODISCOVER] {
                scene.host(name).does_first(
                    "location = /error.xml { internal; types { } default_type text/xml; \
                     root /var/lib/static; }\nif ($request_method = GET) { set $get 1; }\n\
                     if ($uri ~* ^/autodiscover/autodiscover.xml) { set $get \"${get}x\"; }\n\
                     if ($get = 1x) { rewrite ^ /error.xml; }\n",
                );
            }
        },
        code: "pox-get-error",
        subject: "https://example.org/autodiscover/autodiscover.xml",
        ..FAULT
    },
    Fault {
        name: "pox-redirect-url",
        about: "Autodiscover redirects by `RedirectUrl`",
        base: REDIRECTED,
        plant: |_, scene| {
            only_autodiscover(scene);
            scene.zone.set("autodiscover.provider.example", "A", crate::net::WEB);
            scene.hosts.push(crate::web::Host::new(
                "autodiscover.provider.example",
                "location / { types { } default_type text/xml; root /var/lib/static; \
                 error_page 405 =200 /pox.xml; try_files /pox.xml =404; }\n",
            ));
            write(Path::new("/var/lib/static/pox.xml"), MOVED);
        },
        code: "pox-redirect",
        subject: POX,
        ..FAULT
    },
    Fault {
        name: "pox-disagrees",
        about: "Autodiscover names another IMAP server than autoconfig",
        plant: |_, scene| {
            scene
                .edit_pox("<Server>imap.example.org</Server>", "<Server>mail.example.org</Server>");
        },
        code: "docs-differ",
        subject: POX,
        ..FAULT
    },
    Fault {
        name: "pox-wrong-port",
        about: "Autodiscover has another port than autoconfig, and no server is there",
        plant: |_, scene| scene.edit_pox("<Port>993</Port>", "<Port>994</Port>"),
        code: "mail-refused",
        subject: "imap.example.org:994",
        ..FAULT
    },
    Fault {
        name: "srv-disagrees",
        about: "the SRV record names another IMAP server than the documents",
        plant: |_, scene| {
            scene.zone.set("_imaps._tcp.example.org", "SRV", "0 0 993 mail.example.org.");
        },
        code: "srv-differs",
        subject: "_imaps._tcp.example.org",
        ..FAULT
    },
    Fault {
        name: "database-disagrees",
        about: "Mozilla's database names another IMAP server than the domain",
        plant: |world, scene| in_database(world, scene, "mail.example.org"),
        code: "database-differs",
        subject: "https://autoconfig.thunderbird.net/v1.1/example.org",
        ..FAULT
    },
    Fault {
        name: "database-stale",
        about: "Mozilla's database names a server that is gone",
        plant: |world, scene| in_database(world, scene, "gone.example.org"),
        code: "mail-no-address",
        subject: "gone.example.org",
        clients: &["kmail"],
        also: &[("database-differs", "the database names another server than the documents")],
        ..FAULT
    },
];

const JMAP: &str = "<hostname>jmap.example.org</hostname><port>443</port>\
    <socketType>SSL</socketType><authentication>password-cleartext</authentication>\
    <username>%EMAILADDRESS%</username></incomingServer>";

const ERROR: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>
<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">
  <Response>
    <Error Time=\"12:34:56.7890123\" Id=\"1\">
      <ErrorCode>600</ErrorCode>
      <Message>Invalid Request</Message>
      <DebugData/>
    </Error>
  </Response>
</Autodiscover>
";

/// The responder sends Outlook elsewhere.
const REDIRECTED: &str = r#"pacc.enabled = true
provider.name = "Example Mail"
imap.host = "imap.example.org"
pop3.host = "pop.example.org"
smtp.host = "smtp.example.org"
smtp.port = 465
managesieve.enabled = true
managesieve.host = "mail.example.org"
apple.signing_certificate = "SIGNER"
apple.signing_key = "/etc/ssl/private/laboratory.key"
[domain."example.org".autodiscover]
redirect_url = "https://autodiscover.provider.example/autodiscover/autodiscover.xml"
"#;

/// What is there.
const MOVED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">
  <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">
    <User><DisplayName>Ann</DisplayName></User>
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
      <Protocol><Type>IMAP</Type><Server>imap.example.org</Server><Port>993</Port>
        <LoginName>ann@example.org</LoginName><SPA>off</SPA><SSL>on</SSL>
        <Encryption>SSL</Encryption><AuthRequired>on</AuthRequired></Protocol>
      <Protocol><Type>SMTP</Type><Server>smtp.example.org</Server><Port>465</Port>
        <LoginName>ann@example.org</LoginName><SPA>off</SPA><SSL>on</SSL>
        <Encryption>SSL</Encryption><AuthRequired>on</AuthRequired></Protocol>
    </Account>
  </Response>
</Autodiscover>
";

/// The domain has no autoconfig.
fn only_autodiscover(scene: &mut Scene) {
    scene.zone.remove(AUTOCONFIG, "ANY");
    scene.host(DOMAIN).does_first("location ~* ^/.well-known/autoconfig { return 404; }\n");
}

const NO_AUTOCONFIG: &[(&str, &str)] = &[
    ("autoconfig-absent", "the domain has no autoconfig here"),
    ("well-known-absent", "the domain has no autoconfig here"),
];

/// Mozilla's database has the document, with another host for IMAP.
fn in_database(world: &mut World, scene: &mut Scene, host: &str) {
    let document = super::web::document(world, scene);
    let document = document.replace(IMAP_HOST, &format!("<hostname>{host}</hostname>"));
    scene.database = Some(document);
}
