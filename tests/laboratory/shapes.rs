//! Domains without a fault, in the shapes in which they are found.

use crate::net::{MAIL, MAIL_6, WEB, WEB_6};
use crate::web::{Host, NOTHING, RESPONDER};
use crate::world::{Scene, World};
use crate::zone::Zone;

/// The configuration of a server that has everything.
pub const OWN: &str = r#"pacc.enabled = true
provider.name = "Example Mail"
imap.host = "imap.example.org"
pop3.host = "pop.example.org"
smtp.host = "smtp.example.org"
smtp.port = 465
managesieve.enabled = true
managesieve.host = "mail.example.org"
apple.signing_certificate = "SIGNER"
apple.signing_key = "/etc/ssl/private/laboratory.key"
[domain."example.org"]
"#;

/// The same with STARTTLS everywhere, which PACC cannot express.
pub const STARTTLS: &str = r#"provider.name = "Example Mail"
imap.host = "imap.example.org"
imap.port = 143
pop3.host = "pop.example.org"
pop3.port = 110
smtp.host = "smtp.example.org"
smtp.port = 587
managesieve.enabled = true
managesieve.host = "mail.example.org"
apple.signing_certificate = "SIGNER"
apple.signing_key = "/etc/ssl/private/laboratory.key"
[domain."example.org"]
"#;

/// One server for the web, one for mail, all protocols.
pub fn own(world: &mut World) -> Scene {
    own_with(world, OWN)
}

/// The same with STARTTLS.
pub fn starttls(world: &mut World) -> Scene {
    own_with(world, STARTTLS)
}

/// The same with another configuration of the responder.
pub fn own_with(world: &mut World, config: &str) -> Scene {
    let mut scene = empty("ann@example.org", config);
    both(&mut scene.zone, "example.org", WEB, WEB_6);
    scene.zone.add("example.org", "MX", "10 mail.example.org.");
    for host in ["mail", "imap", "pop", "smtp"] {
        both(&mut scene.zone, &format!("{host}.example.org"), MAIL, MAIL_6);
    }
    published(world, &mut scene, "example.org", "example.org");
    for name in ["example.org", "autoconfig.example.org", "autodiscover.example.org"] {
        scene.hosts.push(Host::new(name, RESPONDER));
    }
    if config.contains("pacc.enabled") {
        scene.hosts.push(Host::new("ua-auto-config.example.org", RESPONDER));
    }
    scene
}

/// A large provider: settings in Mozilla's database, SRV and MX to names of the company, and a web
/// server that does not know of mail.
pub fn gmail_like(world: &mut World) -> Scene {
    let config = PROVIDER.replace("DOMAIN", "big.example");
    let mut scene = empty("ann@big.example", &config);
    both(&mut scene.zone, "big.example", WEB, WEB_6);
    scene.zone.add("big.example", "MX", "10 mx.provider.example.");
    provider(&mut scene);
    for (service, data) in [
        ("imaps", "5 0 993 imap.provider.example."),
        ("imap", "0 0 0 ."),
        ("pop3s", "20 0 995 pop.provider.example."),
        ("pop3", "0 0 0 ."),
        ("submissions", "5 0 465 smtp.provider.example."),
        ("submission", "0 0 0 ."),
    ] {
        scene.zone.add(&format!("_{service}._tcp.big.example"), "SRV", data);
    }
    let show = ["show", "--client", "thunderbird", scene.address];
    scene.database = Some(world.mailsetup(&config, &show));
    scene.hosts.push(Host::new("big.example", NOTHING));
    scene
}

/// A customer's domain at a provider: everything leads to names of the provider.
pub fn fastmail_like(world: &mut World) -> Scene {
    let config = PROVIDER.replace("DOMAIN", "customer.example");
    let mut scene = empty("ann@customer.example", &config);
    both(&mut scene.zone, "customer.example", WEB, WEB_6);
    scene.zone.add("customer.example", "MX", "10 mx.provider.example.");
    provider(&mut scene);
    published(world, &mut scene, "customer.example", "web.provider.example");
    scene.zone.remove("autodiscover.customer.example", "CNAME");
    scene.hosts.push(Host::new("customer.example", NOTHING));
    scene.hosts.push(Host::new("autoconfig.customer.example", RESPONDER));
    scene
}

/// A customer's domain at a provider with Exchange: Autodiscover and ActiveSync alone.
pub fn exchange_like(_: &mut World) -> Scene {
    let config = format!(
        "activesync.url = 'https://eas.provider.example/Microsoft-Server-ActiveSync'\n{}",
        PROVIDER.replace("DOMAIN", "office.example")
    );
    let mut scene = empty("ann@office.example", &config);
    both(&mut scene.zone, "office.example", WEB, WEB_6);
    scene.zone.add("office.example", "MX", "10 mx.provider.example.");
    provider(&mut scene);
    scene.zone.add("autodiscover.office.example", "CNAME", "web.provider.example.");
    both(&mut scene.zone, "eas.provider.example", WEB, WEB_6);
    scene.hosts.push(Host::new("office.example", NOTHING));
    scene.hosts.push(Host::new("autodiscover.office.example", RESPONDER));
    scene.hosts.push(Host::new("eas.provider.example", "return 401;\n"));
    scene
}

const PROVIDER: &str = r#"provider.name = "Provider"
imap.host = "imap.provider.example"
pop3.host = "pop.provider.example"
smtp.host = "smtp.provider.example"
smtp.port = 465
[domain."DOMAIN"]
"#;

/// Nothing but what is everywhere: Mozilla's database, and a hoster.
fn empty(address: &'static str, config: &str) -> Scene {
    let mut zone = Zone::default();
    let database = ["live.thunderbird.net", "autoconfig.thunderbird.net", "v1.ispdb.net"];
    let mut hosts = vec![Host::new("www.hoster.example", NOTHING)];
    both(&mut zone, "www.hoster.example", WEB, WEB_6);
    hosts.push(Host::foreign("parking.hoster.example", NOTHING));
    zone.add("parking.hoster.example", "A", crate::net::HOSTER);
    for name in database {
        both(&mut zone, name, WEB, WEB_6);
        let directives = "location / {
rewrite ^.*/(.*)$ /$1 break;
root /var/lib/database;
types { }
default_type text/xml;
}
";
        hosts.push(Host::new(name, directives));
    }
    Scene {
        address,
        zone,
        hosts,
        edits: Vec::new(),
        config: config.to_owned(),
        database: None,
        arguments: Vec::new(),
        dns: "192.0.2.53",
    }
}

/// The hosts of the provider.
fn provider(scene: &mut Scene) {
    both(&mut scene.zone, "web.provider.example", WEB, WEB_6);
    for host in ["mx", "imap", "pop", "smtp"] {
        both(&mut scene.zone, &format!("{host}.provider.example"), MAIL, MAIL_6);
    }
}

/// The records that `mailsetup dns` prints.
fn published(world: &mut World, scene: &mut Scene, domain: &str, web_host: &str) {
    let config = scene.config.clone();
    let records = world.mailsetup(&config, &["dns", "--json", "--web-host", web_host, domain]);
    let records: serde_json::Value = serde_json::from_str(&records).expect("JSON");
    for record in records.as_array().expect("records") {
        let text = |key: &str| record[key].as_str().expect("text");
        let kind = ["CNAME", "SRV", "TXT"].into_iter().find(|kind| *kind == text("type"));
        let kind = kind.unwrap_or_else(|| panic!("another type: {record}"));
        let data = match kind {
            "TXT" => format!("\"{}\"", text("data").trim_matches('"')),
            _ => text("data").to_owned(),
        };
        scene.zone.add(text("name").trim_end_matches('.'), kind, &data);
    }
}

fn both(zone: &mut Zone, name: &str, address: &str, address_6: &str) {
    zone.add(name, "A", address);
    zone.add(name, "AAAA", address_6);
}
