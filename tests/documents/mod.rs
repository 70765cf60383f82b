//! The documents: the response to each recorded request, byte for byte and by the grammar of its
//! kind.
//!
//! A request is a file in `fixtures/requests`, its response one in `fixtures/golden`;
//! `UPDATE_GOLDEN=1` rewrites the responses, which must then be reviewed.

mod clients;
mod profile;
mod schema;

use crate::common::http::{Request, Response};
use crate::common::{Sandbox, cgi, command, program, run, source};
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The names of all recorded requests.
pub fn recorded() -> Vec<String> {
    let folder = source("tests/fixtures/requests");
    let files = fs::read_dir(&folder).expect("tests/fixtures/requests");
    let mut names: Vec<_> = files
        .map(|file| file.expect("directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "http"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 90, "only {} recorded requests were found", names.len());
    names
}

/// Reads a recorded request; see `fixtures/README.md` for its form.
pub fn read(name: &str) -> Request {
    read_file(&source("tests/fixtures/requests").join(format!("{name}.http")))
}

/// Reads a file of the same form.
pub fn read_file(path: &Path) -> Request {
    let name = path.display();
    let mut rest = &fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"))[..];
    let mut lines = Vec::new();
    loop {
        let end = rest
            .iter()
            .position(|&b| b == b'\n')
            .unwrap_or_else(|| panic!("{name}: no blank line"));
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        match line {
            b"" => break,
            _ if lines.is_empty() && line.starts_with(b"#") => {}
            _ => lines.push(line),
        }
    }
    let request_line: Vec<_> = lines[0].split(|&b| b == b' ').collect();
    let [method, target, b"HTTP/1.1"] = request_line[..] else {
        panic!("{name}: bad request line")
    };
    let mut request = Request::new(&String::from_utf8_lossy(method), target);
    request.headers.clear();
    for line in &lines[1..] {
        let colon =
            line.iter().position(|&b| b == b':').unwrap_or_else(|| panic!("{name}: bad header"));
        let value = line[colon + 1..].trim_ascii_start();
        request = request.header(&String::from_utf8_lossy(&line[..colon]), value);
    }
    match rest.strip_suffix(b"\n").unwrap_or(rest) {
        b"" => request,
        body => request.body(body),
    }
}

/// Sends a request to the program, as CGI, with the configuration for the recorded requests.
fn ask(request: &Request) -> Response {
    ask_with("requests.toml", request)
}

fn ask_with(config: &str, request: &Request) -> Response {
    let config = source("tests/fixtures/config").join(config);
    cgi::send(&program(), request, &[("MAILSETUP_CONFIG", config.as_os_str())]).expect("an answer")
}

/// The response in the form of a golden file; the time in an error document is replaced.
fn to_golden(response: &Response) -> String {
    let mut text = format!("{}\n", response.status);
    for (name, value) in &response.headers {
        writeln!(text, "{name}: {value}").expect("memory");
    }
    let body = String::from_utf8(response.body.clone()).expect("an unsigned document is UTF-8");
    text + "\n" + &without_time(&body)
}

fn without_time(body: &str) -> String {
    let Some((before, after)) = body.split_once("<Error Time=\"") else { return body.to_owned() };
    let (time, after) = after.split_at("HH:MM:SS.fffffff".len());
    assert!(
        time.bytes()
            .zip(*b"00:00:00.0000000")
            .all(|(b, shape)| b.is_ascii_digit() == shape.is_ascii_digit()),
        "{time}"
    );
    format!("{before}<Error Time=\"00:00:00.0000000{after}")
}

#[test]
fn every_recorded_request_gets_its_golden_answer() {
    let mut failures = String::new();
    for name in recorded() {
        let answer = to_golden(&ask(&read(&name)));
        let path = source("tests/fixtures/golden").join(format!("{name}.http"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &answer).expect("golden file");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&answer) {
            writeln!(failures, "--- {name}: expected {}, got\n{answer}", path.display())
                .expect("memory");
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// With all services and texts configured, each kind of document is the reviewed one, and valid.
#[test]
fn everything_at_once_gets_its_golden_answer() {
    let sandbox = Sandbox::new();
    let mut failures = String::new();
    for (name, recorded, domain) in [
        ("autoconfig", "thunderbird-autoconfig", "example.org"),
        ("autodiscover", "outlook-pox-mixed-case", "example.org"),
        ("autodiscover-get", "delta-chat-pox-get-autodiscover", "example.org"),
        ("autodiscover-moved", "outlook-pox-mixed-case", "moved.example"),
        ("autodiscover-elsewhere", "outlook-pox-root-domain", "elsewhere.example"),
        // At the same URL as the target of the redirect.
        ("autodiscover-arrived", "outlook-pox-mixed-case", "elsewhere.example"),
        ("autodiscover-activesync", "activesync-pox", "example.org"),
        ("autodiscover-activesync-no-schema", "activesync-pox-no-schema", "example.org"),
        ("autodiscover-activesync-moved", "new-outlook-pox-mobilesync", "moved.example"),
        ("json-activesync", "nine-json", "example.org"),
        ("json-activesync-path", "mustang-json-activesync", "example.org"),
        ("json-ews", "mustang-json-ews", "example.org"),
        ("json-moved", "outlook-2019-json", "moved.example"),
        ("profile", "safari-ios-profile", "example.org"),
        ("profile-generic", "safari-ios-profile-generic", "example.org"),
        ("pacc", "pimalaya-pacc", "example.org"),
    ] {
        let answer = ask_with("full.toml", &of_domain(read(recorded), domain));
        let golden = to_golden(&answer);
        let path = source("tests/fixtures/golden/full").join(format!("{name}.http"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &golden).expect("golden file");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(&golden) {
            writeln!(failures, "--- {name}: expected {}, got\n{golden}", path.display())
                .expect("memory");
        }
        let file = sandbox.write(name, &answer.body);
        match name.split('-').next() {
            Some("autoconfig") => schema::autoconfig(&[file]),
            Some("autodiscover") => schema::autodiscover(&[file]),
            Some("json") => check_json(&answer),
            Some("pacc") => {
                serde_json::from_slice::<serde_json::Value>(&answer.body).expect("JSON");
            }
            _ => profile::check(&answer.body).expect("a good profile"),
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// The file for Outlook's PreferLocalXML is the reviewed one and valid, whatever the mailbox, and leads
/// to the settings of each.
#[test]
fn the_local_file_of_outlook_is_for_a_domain() {
    let config = source("tests/fixtures/config/full.toml");
    let local = |address: &str, option: &str| {
        let arguments = ["show", address, "--client", "outlook", option];
        run(command(program()).arg("--config").arg(&config).args(arguments))
    };
    let file = local("ann@example.org", "--local-xml");
    let path = source("tests/fixtures/golden/full/outlook-local.xml");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &file).expect("golden file");
    }
    assert_eq!(file, fs::read_to_string(&path).expect("golden file"));
    for address in ["bob@example.org", "ANN@Example.ORG"] {
        assert_eq!(local(address, "--local-xml"), file, "{address}");
    }
    let elsewhere = local("ann@example.org", "--local-xml=Mail.example.net");
    let url = "https://mail.example.net/autodiscover/autodiscover.xml";
    assert!(elsewhere.contains(&format!("<RedirectUrl>{url}</RedirectUrl>")), "{elsewhere}");
    let sandbox = Sandbox::new();
    let files = [sandbox.write("own.xml", file), sandbox.write("elsewhere.xml", elsewhere)];
    schema::autodiscover(&files);

    // The request that Outlook sends to the URL of the file.
    let mut request = read("outlook-pox-mixed-case");
    request.target = b"/autodiscover/autodiscover.xml".to_vec();
    let settings = ask(&request.host("mail.example.net")).text();
    assert!(settings.contains("<LoginName>ann@example.org</LoginName>"), "{settings}");
}

/// The same request for an address at another domain; the Host is unchanged.
fn of_domain(mut request: Request, domain: &str) -> Request {
    for bytes in [Some(&mut request.target), request.body.as_mut()].into_iter().flatten() {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let text = text.replace("@example.org", &format!("@{domain}"));
        *bytes = text.replace("%40example.org", &format!("%40{domain}")).into_bytes();
    }
    request
}

/// Checks a response of Autodiscover v2.
fn check_json(answer: &Response) {
    let value: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let (status, keys) = match value.get("Url") {
        Some(url) => {
            assert!(url.as_str().is_some_and(|url| url.starts_with("https://")), "{value}");
            (200, ["Protocol", "Url"])
        }
        None => (400, ["ErrorCode", "ErrorMessage"]),
    };
    assert_eq!(answer.status, status, "{value}");
    let object = value.as_object().expect("an object");
    assert!(object.keys().eq(keys) && object.values().all(|value| value.is_string()), "{value}");
    assert!(!answer.text().contains(['<', '>', '\\']), "{value}");
}

#[test]
fn json_is_for_get_and_head() {
    let mut request = read("outlook-2019-json");
    let length = ask(&request).header("Content-Length").map(str::to_owned);
    request.method = "HEAD".to_owned();
    let head = ask(&request);
    assert_eq!((head.status, head.header("Content-Type")), (200, Some("application/json")));
    assert!(head.body.is_empty() && head.header("Content-Length").map(str::to_owned) == length);
    request.method = "POST".to_owned();
    assert_eq!(ask(&request).status, 405);
}

/// The response does not depend on the encoding of the request.
#[test]
fn requests_in_utf_16_get_the_same_answer() {
    let as_bytes = |text: &str, to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    };
    for name in ["outlook-pox-mixed-case", "pox-no-declaration", "mustang-pox", "pox-doctype"] {
        let request = read(name);
        let expected = to_golden(&ask(&request));
        let body = String::from_utf8(request.body.clone().expect("a body")).expect("UTF-8");
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{body}");
            for bytes in [as_bytes(&text, u16::to_le_bytes), as_bytes(&text, u16::to_be_bytes)] {
                assert_eq!(to_golden(&ask(&request.clone().body(bytes))), expected, "{name}");
            }
        }
    }
}

#[test]
fn no_golden_answer_is_left_over() {
    let recorded = recorded();
    for file in fs::read_dir(source("tests/fixtures/golden")).expect("tests/fixtures/golden") {
        let path = file.expect("directory entry").path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(recorded.contains(&name), "{} answers nothing", path.display());
    }
}

#[test]
fn every_answer_is_valid_by_the_grammar_of_its_kind() {
    let sandbox = Sandbox::new();
    let (mut autoconfig, mut autodiscover, mut profiles) = (Vec::new(), Vec::new(), Vec::new());
    for name in recorded() {
        let answer = ask(&read(&name));
        let media_type = answer.header("Content-Type").expect("a media type").to_owned();
        let file = sandbox.write(&format!("{name}.xml"), &answer.body);
        let body = answer.text();
        match media_type.as_str() {
            "text/xml; charset=utf-8" if body.contains("<clientConfig ") => autoconfig.push(file),
            "text/xml; charset=utf-8" if body.contains("<Autodiscover ") => autodiscover.push(file),
            "application/x-apple-aspen-config" => profiles.push(file),
            "application/json" => check_json(&answer),
            "text/plain; charset=utf-8" => {
                assert_ne!(answer.status, 200, "{name}");
                assert!(
                    body.ends_with('\n') && body.lines().count() == 1 && !body.contains('<'),
                    "{name}: {body}"
                );
            }
            _ => panic!("{name}: what is {media_type}?"),
        }
        // Text that schemas do not detect, each of which broke a client.
        for odd in ["\u{feff}", "<![CDATA[", "<!--", "&#", "%EMAILDOMAIN%"] {
            assert!(!body.contains(odd), "{name}: {odd:?} in {body}");
        }
    }
    assert!(autoconfig.len() >= 30 && autodiscover.len() >= 30 && profiles.len() >= 5);
    schema::autoconfig(&autoconfig);
    schema::autodiscover(&autodiscover);
    for file in &profiles {
        profile::check(&fs::read(file).expect("profile"))
            .unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    }
    let profiles: Vec<&Path> = profiles.iter().map(PathBuf::as_path).collect();
    schema::property_lists(&profiles);
}

#[test]
fn the_grammars_refuse_what_breaks_a_client() {
    let mut samples = 0;
    for file in fs::read_dir(source("tests/fixtures/schema/samples")).expect("samples") {
        let path = file.expect("directory entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let (verdict, rest) = name.split_once('-').expect("good- or bad-");
        let passes = match rest.split('-').next() {
            Some("autoconfig") => schema::passes_autoconfig(&path),
            Some("autodiscover") => schema::passes_autodiscover(&path),
            Some("profile") => profile::check(&fs::read(&path).expect("sample")).is_ok(),
            kind => panic!("{name}: what is {kind:?}?"),
        };
        assert_eq!(passes, verdict == "good", "{name}");
        samples += 1;
    }
    assert!(samples >= 100, "only {samples} samples were found");
}

#[test]
fn identifiers_of_a_profile_are_of_the_mailbox() {
    let uuids = |address: &str| {
        let answer = ask(&Request::get(format!("/mobileconfig?emailaddress={address}")));
        profile::identifiers(&answer.body)
    };
    let ann = uuids("ann@example.org");
    assert_eq!(ann.len(), 4);
    assert_eq!(ann, uuids("ann@example.org"), "a second download");
    assert_eq!(ann, uuids("ANN@Example.ORG."), "another spelling");
    for other in ["bob@example.org", "ann@hoster.example", ""] {
        let other = uuids(other);
        assert!(ann.iter().all(|identifier| !other.contains(identifier)), "{other:?}");
    }
}

/// The text of a profile is in the reader's language; the rest does not depend on it.
#[test]
fn a_profile_speaks_the_language_it_is_asked_for() {
    let ask = |language: &str| {
        let request = Request::get("/mobileconfig?emailaddress=ann@example.org");
        ask_with("full.toml", &request.header("Accept-Language", language))
    };
    let (english, german) = ("Sets up mail and calendars.", "Richtet Mail und Kalender ein.");
    for (language, text) in
        [("de-AT,de;q=0.9,en;q=0.5", german), ("en-GB", english), ("fr", english), ("*", english)]
    {
        let answer = ask(language);
        assert_eq!(answer.header("Vary"), Some("Accept-Language"));
        assert_eq!(answer.text().replace(text, english), ask("en").text(), "{language}");
    }
    let plain = Request::get("/mobileconfig?emailaddress=ann@example.org");
    assert_eq!(ask_with("requests.toml", &plain).header("Vary"), None);
}

/// The servers may change; an installed profile must be replaced nevertheless.
#[test]
fn identifiers_of_a_profile_are_not_of_its_servers() {
    let sandbox = Sandbox::new();
    let identifiers = |text: &str| {
        let config = sandbox.write("c.toml", text);
        let request = Request::get("/mobileconfig?emailaddress=ann@example.org");
        let answer = cgi::send(&program(), &request, &[("MAILSETUP_CONFIG", config.as_os_str())])
            .expect("an answer");
        profile::check(&answer.body).expect("a good profile");
        profile::identifiers(&answer.body)
    };
    let mail = identifiers("imap.enabled = false\n");
    assert_eq!(mail, identifiers("smtp.host = 'smtp.example.net'\nprovider.name = 'Other'\n"));
    let dav = identifiers(
        "caldav.url = 'https://one.example.org'\ncarddav.url = 'https://one.example.org/x'\n",
    );
    assert_eq!(
        dav,
        identifiers(
            "caldav.url = 'https://two.example.org:444/a?b'\ncarddav.url = 'https://c.d'\n"
        )
    );
    assert_eq!((&dav[..4], dav.len()), (&mail[..], 8));
    assert!(dav[5].ends_with(".caldav") && dav[7].ends_with(".carddav"), "{dav:?}");
}

/// Responses for the mailboxes of a domain must only differ in the address itself.
#[test]
fn no_answer_tells_which_mailboxes_exist() {
    let ask_for = |name: &str| {
        let answer = to_golden(&ask(&Request::get(format!(
            "/mail/config-v1.1.xml?emailaddress={name}@example.org"
        ))));
        answer.replace(name, "NAME")
    };
    assert_eq!(ask_for("postmaster"), ask_for("no-such-mailbox"));
}

#[test]
fn config_by_environment_is_used() {
    let request = Request::get("/mail/config-v1.1.xml").host("autoconfig.other.example");
    assert_eq!(ask(&request).status, 404, "a domain that is not listed");
    let none = Sandbox::new().path("none.toml");
    let settings = [("MAILSETUP_CONFIG", none.as_os_str()), ("UNUSED", OsStr::new(""))];
    assert!(cgi::send(&program(), &request, &settings).is_err(), "a named file must be there");
}
