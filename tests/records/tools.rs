//! The formats, taken by the programs that they are for, on loopback: what these serve afterwards is
//! what the lines of a zone file say, also after a second run.
//!
//! `make test-dns` runs these tests; `sh tests/install-dns.sh` installs the programs.

use super::{OPTIONS, fixture, of_fixture, printed, records};
use crate::common::{Process, Sandbox, command, free_port, run, source};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Records without the spaces between their fields.
type Records = BTreeSet<String>;

fn plain(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The records of each zone, as the lines for a zone file name them.
fn expected() -> BTreeMap<String, Records> {
    let json: Vec<serde_json::Value> = serde_json::from_str(&of_fixture("json")).expect("JSON");
    let lines = of_fixture("zone");
    let mut zones: BTreeMap<_, Records> = BTreeMap::new();
    for (record, line) in json.iter().zip(records(&lines)) {
        let zone = record["zone"].as_str().expect("a zone").trim_end_matches('.');
        zones.entry(zone.to_owned()).or_default().insert(plain(line));
    }
    assert!(zones.len() > 4 && zones["example.org"].len() > 40, "{zones:#?}");
    zones
}

fn dig(port: u16, arguments: &[&str]) -> String {
    let mut dig = command("dig");
    dig.args(["@127.0.0.1", "+noall", "+answer", "+tries=1", "+time=2"]);
    let output = dig.args(["-p", &port.to_string()]).args(arguments).output().expect("dig");
    String::from_utf8(output.stdout).expect("ASCII")
}

/// What a server has of a zone, without its SOA and NS records.
fn served(port: u16, zone: &str) -> Records {
    let lines = dig(port, &[zone, "AXFR"]);
    let is_own = |line: &String| !line.contains(" IN SOA ") && !line.contains(" IN NS ");
    lines.lines().map(plain).filter(is_own).collect()
}

fn serial(port: u16, zone: &str) -> String {
    dig(port, &[zone, "SOA"]).split_whitespace().nth(6).expect("a serial").to_owned()
}

/// A zone without the records: an SOA and an NS record.
fn empty(zone: &str) -> String {
    format!(
        "$ORIGIN {zone}.\n@ 60 IN SOA ns.invalid. hostmaster 1 7200 900 1209600 3600\n\
         @ 60 IN NS ns.invalid.\n"
    )
}

/// Compares all zones.
fn check(port: u16) {
    for (zone, records) in expected() {
        assert_eq!(served(port, &zone), records, "{zone}");
    }
}

/// The loop of docs/dns.md that prints what is missing or different.
const COMPARE: &str = r#"
    grep '^[^;]' | while read -r name ttl in type data; do
        dig +short "$name" "$type" | grep -qxF -- "$data" || echo "$name $type $data"
    done
"#;

/// What that loop prints.
fn differences(port: u16) -> String {
    let page = fs::read_to_string(source("docs/dns.md")).expect("a page");
    for line in COMPARE.trim().lines().map(str::trim) {
        assert!(page.contains(line), "docs/dns.md has no {line}");
    }
    let script = COMPARE.replace("dig ", &format!("dig -p {port} @127.0.0.1 "));
    let output = feed(command("sh").args(["-c", &script]), &of_fixture("zone"));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a program with this input.
fn feed(command: &mut Command, input: &str) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("a program");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("input");
    child.wait_with_output().expect("a program")
}

fn is_up(port: u16) -> impl FnMut() -> bool {
    move || dig(port, &["example.org", "SOA"]).contains("SOA")
}

/// Updates twice; the second time nothing changes. A name with an address does not become an alias;
/// the domains after it are updated only by a program that `goes_on` after an error.
fn update(port: u16, goes_on: bool, updater: &dyn Fn() -> Command) {
    let script = |script: &str| feed(&mut updater(), &format!("server 127.0.0.1 {port}\n{script}"));
    let all = of_fixture("nsupdate");
    let zones = expected();
    let mut serials = Vec::new();
    for _ in 0..2 {
        let output = script(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        check(port);
        serials.push(zones.keys().map(|zone| serial(port, zone)).collect::<Vec<_>>());
    }
    assert_eq!(serials[0], serials[1]);
    assert_eq!(differences(port), "");
    // Another port is replaced; a stale record does not remain.
    let name = "_imaps._tcp.alias.example.";
    let stale = format!("zone alias.example.\nupdate add {name} 60 SRV 9 9 9 old.example.\n");
    let alias = "zone filed.example.\nupdate delete autoconfig.filed.example. CNAME\n\
                 update add autoconfig.filed.example. 60 A 192.0.2.1\nsend\n\
                 zone listed.example.\nupdate delete autoconfig.listed.example. CNAME\nsend\n";
    assert!(script(&format!("{stale}send\n{alias}")).status.success());
    let output = script(&all);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success() && said.contains("YXRRSET"), "{said}");
    for (zone, records) in zones {
        let found = served(port, &zone);
        if zone == "filed.example" {
            let missing = "autoconfig.filed.example. CNAME www.hoster.example.\n";
            assert!(differences(port).starts_with(missing), "{}", differences(port));
            assert!(found.contains("autoconfig.filed.example. 60 IN A 192.0.2.1"), "{found:#?}");
        } else {
            assert_eq!(found == records, goes_on || zone != "listed.example", "{zone}: {found:#?}");
        }
    }
}

#[test]
#[ignore = "needs BIND: make test-dns"]
fn bind_takes_the_script_for_nsupdate() {
    let (sandbox, port) = (Sandbox::new(), free_port());
    let key = run(command("tsig-keygen").arg("update"));
    let folder = sandbox.path("");
    let mut config = format!(
        "{key}options {{\n  directory \"{}\";\n  listen-on port {port} {{ 127.0.0.1; }};\n  \
         listen-on-v6 {{ none; }};\n  pid-file none;\n  session-keyfile none;\n  recursion no;\n  \
         notify no;\n  allow-transfer {{ any; }};\n}};\ncontrols {{ }};\n",
        folder.display()
    );
    for zone in expected().keys() {
        sandbox.write(zone, empty(zone));
        let policy = "update-policy { grant update zonesub ANY; };";
        writeln!(config, "zone \"{zone}\" {{ type primary; file \"{zone}\"; {policy} }};")
            .expect("memory");
    }
    let (config, key) = (sandbox.write("named.conf", config), sandbox.write("key", key));
    let mut named = command("named");
    named.args(["-g", "-n", "1", "-c"]).arg(config);
    let _named = Process::start(&sandbox, &mut named).wait_until(is_up(port));
    update(port, true, &|| {
        let mut nsupdate = command("nsupdate");
        nsupdate.arg("-k").arg(&key);
        nsupdate
    });
}

#[test]
#[ignore = "needs Knot: make test-dns"]
fn knot_takes_the_script_for_nsupdate() {
    let (sandbox, port) = (Sandbox::new(), free_port());
    let key = run(command("keymgr").args(["-t", "update", "hmac-sha256"]));
    let folder = sandbox.path("");
    let folder = folder.display();
    let mut config = format!(
        "server:\n    rundir: {folder}\n    listen: 127.0.0.1@{port}\n    tcp-workers: 1\n    \
         udp-workers: 1\n    background-workers: 1\ndatabase:\n    storage: {folder}\nlog:\n  \
         - target: stderr\n    any: info\n{key}acl:\n  - id: update\n    key: update\n    \
         action: update\n  - id: transfer\n    address: 127.0.0.1\n    action: transfer\nzone:\n"
    );
    for zone in expected().keys() {
        let file = sandbox.write(zone, empty(zone));
        let file = file.display();
        writeln!(config, "  - domain: {zone}\n    file: {file}\n    acl: [update, transfer]")
            .expect("memory");
    }
    let config = sandbox.write("knot.conf", config);
    let mut knot = command("knotd");
    let _knot = Process::start(&sandbox, knot.arg("-c").arg(config)).wait_until(is_up(port));
    // Its first line is the key in the form for programs.
    let key = key.lines().next().expect("a line").trim_start_matches("# ").to_owned();
    for program in ["knsupdate", "nsupdate"] {
        update(port, program == "nsupdate", &|| {
            let mut updater = command(program);
            updater.args(["-y", &key]);
            updater
        });
        let mut clean = command(program);
        let script = format!(
            "server 127.0.0.1 {port}\nzone filed.example.\n\
             update delete autoconfig.filed.example. A\nsend\n"
        );
        assert!(feed(clean.args(["-y", &key]), &script).status.success());
    }
}

/// octoDNS takes the files beside those of an admin, and writes the zones.
#[test]
#[ignore = "needs octoDNS: make test-dns"]
fn octodns_takes_the_files() {
    let script = fs::read_to_string(source("tests/install-dns.sh")).expect("a script");
    let version = script.lines().find_map(|line| line.strip_prefix("octodns=")).expect("a version");
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(format!("octodns-{version}"));
    assert!(folder.exists(), "{}: sh tests/install-dns.sh", folder.display());
    let sandbox = Sandbox::new();
    let config = "providers:
  mine: { class: octodns_bind.ZoneFileSource, directory: mine, file_extension: .zone }
  mailsetup:
    class: octodns.provider.yaml.YamlProvider
    directory: mailsetup
    escaped_semicolons: true
    populate_should_replace: true
  out: { class: octodns_bind.ZoneFileProvider, directory: out, file_extension: .zone }
zones:
  '*': { sources: [mine, mailsetup], targets: [out] }
";
    let octodns = |name: &str, arguments: &[&str]| {
        let mut octodns = command(folder.join("bin/python"));
        octodns.current_dir(sandbox.path("")).args(["-m", &format!("octodns.cmds.{name}")]);
        run(octodns.args(["--config-file", "config.yaml"]).args(arguments))
    };
    sandbox.write("config.yaml", config);
    let zones = expected();
    let mine = "www 60 IN A 192.0.2.3\nautoconfig 60 IN CNAME old.hoster.example.\n";
    for zone in zones.keys() {
        sandbox.write(&format!("mine/{zone}.zone"), empty(zone) + mine);
    }
    for name in ["mailsetup", "out"] {
        fs::create_dir(sandbox.path(name)).expect("a folder");
    }
    let files = sandbox.path("mailsetup");
    let directory = ["--format", "octodns", "--directory", files.to_str().expect("UTF-8")];
    printed(&fixture("config.toml"), &[&OPTIONS[..], &directory].concat());
    let said = octodns("validate", &[]);
    assert!(!said.contains("WARN"), "{said}");
    octodns("sync", &["--doit", "--force"]);
    for (zone, mut records) in zones {
        // A program that knows both forms of a text.
        let canonical = |file: &Path| {
            let out = sandbox.path("canonical");
            run(command("named-checkzone")
                .args(["-i", "none", "-o"])
                .arg(&out)
                .arg(&zone)
                .arg(file));
            let text = fs::read_to_string(out).expect("a zone");
            let is_own = |line: &&str| !line.contains(" IN SOA\t") && !line.contains(" IN NS\t");
            // octoDNS splits texts elsewhere; clients join the strings.
            let joined = |line| plain(line).replace("\" \"", "");
            text.lines().filter(is_own).map(joined).collect::<Records>()
        };
        records.insert(format!("www.{zone}. 60 IN A 192.0.2.3"));
        let records = records.into_iter().collect::<Vec<_>>().join("\n");
        let expected = sandbox.write("expected", format!("{}{records}\n", empty(&zone)));
        let found = canonical(&sandbox.path(&format!("out/{zone}.zone")));
        assert_eq!(found, canonical(&expected), "{zone}");
    }
}

/// The loop of docs/dns.md.
const PATCH: &str = r#"
    key=secret api=http://127.0.0.1:$1/api/v1/servers/localhost
    while read -r body; do
        printf %s "$body" | curl -sS --fail-with-body -X PATCH -H "X-API-Key: $key" --data-binary @- \
            "$api/zones/$(printf %s "$body" | jq -r .name)" || echo " $body" | cut -c 1-60
    done
"#;

/// The API takes each line, twice; a zone with an address at the name of an alias is refused whole.
#[test]
#[ignore = "needs PowerDNS: make test-dns"]
fn powerdns_takes_the_bodies() {
    let page = fs::read_to_string(source("docs/dns.md")).expect("a page");
    let lines: Vec<_> = PATCH.trim().lines().skip(1).map(str::trim).collect();
    let page: Vec<_> = page.lines().map(str::trim).collect();
    assert!(page.windows(lines.len()).any(|window| window == lines), "docs/dns.md: {lines:#?}");
    let (sandbox, port, api) = (Sandbox::new(), free_port(), free_port());
    let folder = sandbox.path("");
    let (database, config) = (sandbox.path("zones.db"), folder.display());
    let schema = fs::read_to_string("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql");
    let schema = schema.expect("the schema of the package");
    assert!(feed(command("sqlite3").arg(&database), &schema).status.success());
    let text = format!(
        "launch=gsqlite3\ngsqlite3-database={}\nlocal-address=127.0.0.1\nlocal-port={port}\n\
         api=yes\napi-key=secret\nwebserver=yes\nwebserver-address=127.0.0.1\nwebserver-port={api}\n\
         socket-dir={config}\nallow-axfr-ips=127.0.0.1\nsecurity-poll-suffix=\nsetuid=\nsetgid=\n\
         default-soa-content=ns.invalid hostmaster.@ 1 7200 900 1209600 3600\n",
        database.display()
    );
    sandbox.write("pdns.conf", text);
    let config = format!("--config-dir={config}");
    let util = |arguments: &[&str]| run(command("pdnsutil").arg(&config).args(arguments));
    for zone in expected().keys() {
        util(&["create-zone", zone, "ns.invalid"]);
    }
    let mut server = command("pdns_server");
    server.args([&config, "--daemon=no", "--guardian=no"]);
    let _server = Process::start(&sandbox, &mut server).wait_until(is_up(port));
    let patch = || {
        let mut sh = command("sh");
        let sh = sh.args(["-c", PATCH, "sh", &api.to_string()]);
        String::from_utf8(feed(sh, &of_fixture("powerdns")).stdout).expect("UTF-8")
    };
    for _ in 0..2 {
        assert_eq!(patch(), "");
        check(port);
    }
    util(&["delete-rrset", "filed.example", "autoconfig", "CNAME"]);
    util(&["add-record", "filed.example", "autoconfig", "A", "60", "192.0.2.1"]);
    util(&["replace-rrset", "alias.example", "_imaps._tcp", "SRV", "60", "9 9 9 old.example"]);
    let said = patch();
    assert!(said.contains("Conflicts with pre-existing RRset"), "{said}");
    assert_eq!(said.matches("filed.example.").count(), 2, "{said}");
    let mut zones = expected();
    let filed = zones.get_mut("filed.example").expect("a zone");
    assert!(filed.remove("autoconfig.filed.example. 300 IN CNAME www.hoster.example."));
    filed.insert("autoconfig.filed.example. 60 IN A 192.0.2.1".to_owned());
    for (zone, records) in zones {
        assert_eq!(served(port, &zone), records, "{zone}");
    }
}
