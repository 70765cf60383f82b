//! One suite, the same for every gateway and web server: the response to a mail client must not
//! depend on them.
//!
//! The program answers for two domains only (`CONFIG`). If contrib's file is a snippet for an
//! existing site, all other paths must still be served by that site.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::fcgi::{Client, Style};
use crate::common::http::{self, Request, Response};
use crate::common::namespace::Namespace;
use crate::common::{
    Process, Sandbox, cgi, command, free_port, program, run, wait_until_settled, write,
};
use crate::servers::{
    HTTP, apache, caddy, h2o, haproxy, hooked, hosting, launchers, lighttpd, listens, local, nginx,
    panels,
};

const CONFIG: &str = r#"
[metrics]
path = "/mailsetup/metrics"
[domains]
ask_path = "/mailsetup/ask"
[domain."example.org"]
caldav.url = "https://dav.example.org/calendars/"
carddav.url = "https://dav.example.org/contacts/"
[domain."xn--bcher-kva.example"]
"#;

const AUTOCONFIG: [&str; 3] = [
    "/mail/config-v1.1.xml",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/v1.1/mail/config-v1.1.xml",
];
const AUTODISCOVER: [&str; 5] = [
    "/autodiscover/autodiscover.xml",
    "/Autodiscover/Autodiscover.xml",
    "/AutoDiscover/AutoDiscover.xml",
    "/autodiscover/Autodiscover.xml",
    "/AUTODISCOVER/AUTODISCOVER.XML",
];
const MOBILECONFIG: [&str; 2] =
    ["/mobileconfig?emailaddress=ann@example.org", "/email.mobileconfig?email=ann@example.org"];

const ANN: &str = "/mail/config-v1.1.xml?emailaddress=ann@example.org";
const IMAP: &str = "<hostname>mail.example.org</hostname>";
const OTHER_IMAP: &str = "<hostname>mail.xn--bcher-kva.example</hostname>";
const LOGIN: &str = "<LoginName>ann@example.org</LoginName>";

/// The body of Outlook's request.
const POX: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request>
    <EMailAddress>ann@example.org</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
  </Request>
</Autodiscover>
"#;

/// The same to an XML reader: a prefix, and the other order.
const POX_PREFIXED: &str = r#"<?xml version="1.0"?>
<a:Autodiscover xmlns:a="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <a:Request>
    <a:AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</a:AcceptableResponseSchema>
    <a:EMailAddress>ann@example.org</a:EMailAddress>
  </a:Request>
</a:Autodiscover>
"#;

/// The largest body that must be accepted.
const BODY_LIMIT: usize = 64 * 1024;

//------------ The cases -----------------------------------------------------

type Outcome = Result<(), String>;

/// A name, and its test.
type Case = (&'static str, fn(&Subject) -> Outcome);

const CASES: &[Case] = &[
    ("autoconfig with an address", |subject| {
        each(AUTOCONFIG, |path| {
            subject.get(format!("{path}?emailaddress=ann@example.org"))?.xml()?.has(IMAP)
        })
    }),
    ("autoconfig with an escaped address", |subject| {
        subject.get("/mail/config-v1.1.xml?emailaddress=ann%40example.org")?.xml()?.has(IMAP)
    }),
    ("autoconfig without an address", |subject| {
        each(AUTOCONFIG, |path| subject.get(path)?.xml()?.has(IMAP))
    }),
    ("autoconfig in other letters", |subject| {
        subject.get("/Mail/Config-V1.1.XML?emailaddress=ann@example.org")?.xml()?.has(IMAP)
    }),
    ("doubled slashes", |subject| {
        each(
            [
                "//mail/config-v1.1.xml",
                "/mail//config-v1.1.xml",
                "//.well-known///autoconfig//mail/config-v1.1.xml",
                "////v1.1/mail/config-v1.1.xml",
                "/mail//config-v1.1.xml?emailaddress=ann@example.org",
            ],
            |path| subject.get(path)?.xml()?.has(IMAP),
        )?;
        each(["//autodiscover//autodiscover.xml", "/Autodiscover//AutoDiscover.XML"], |path| {
            subject.send(Request::post(path, POX))?.xml()?.has(LOGIN)
        })?;
        each(
            [
                "//autodiscover/autodiscover.json?Email=ann@example.org&Protocol=AutodiscoverV1",
                "/autodiscover//autodiscover.json/v1.0/ann@example.org?Protocol=AutodiscoverV1",
                "//mobileconfig?emailaddress=ann@example.org",
                "//email.mobileconfig?email=ann@example.org",
            ],
            |target| subject.get(target)?.status(&[200]),
        )?;
        // The first part of a path is not a host.
        each(["//autoconfig.example.org/mail/config-v1.1.xml", "//mail//", "//nothing"], |target| {
            subject.get(target)?.status(&[404])
        })
    }),
    ("autodiscover in five spellings", |subject| {
        each(AUTODISCOVER, |path| subject.send(Request::post(path, POX))?.xml()?.has(LOGIN))
    }),
    ("autodiscover with a prefix, schema first", |subject| {
        subject.send(Request::post(AUTODISCOVER[0], POX_PREFIXED))?.xml()?.has(LOGIN)
    }),
    ("autodiscover in chunks", |subject| {
        subject.send(Request::post(AUTODISCOVER[0], POX).chunked())?.xml()?.has(LOGIN)
    }),
    ("autodiscover with an empty body", |subject| {
        subject.send(Request::post(AUTODISCOVER[0], ""))?.xml()?.has("<ErrorCode>600</ErrorCode>")
    }),
    ("autodiscover with a body that is no XML", |subject| {
        subject
            .send(Request::post(AUTODISCOVER[0], "\u{0}\u{1}<<<"))?
            .xml()?
            .has("<ErrorCode>600</ErrorCode>")
    }),
    ("autodiscover with markup in the address", |subject| {
        each(["&lt;b&gt;@example.org", "<b>ann</b>@example.org", "&lt;b&gt;"], |address| {
            let body = POX.replace("ann@example.org", address);
            let answer = subject.send(Request::post(AUTODISCOVER[0], body))?;
            answer.lacks("<b>")?;
            if answer.response.status == 200 {
                answer.has("<ErrorCode>600</ErrorCode>")
            } else {
                answer.refused(&[400])
            }
        })
    }),
    ("autodiscover in UTF-16", |subject| {
        let text = format!("\u{feff}{POX}");
        let body: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        subject.send(Request::post(AUTODISCOVER[0], body))?.xml()?.has(LOGIN)
    }),
    ("autodiscover in JSON", |subject| {
        each(
            [
                "/autodiscover/autodiscover.json?Email=ann@example.org&Protocol=AutodiscoverV1",
                "/Autodiscover/Autodiscover.json?email=ann%40example.org&protocol=autodiscoverv1",
                "/autodiscover/autodiscover.json/v1.0/ann@example.org?Protocol=AutodiscoverV1",
                "/AutoDiscover/AutoDiscover.JSON/V1.0/ann%40example.org?Protocol=AutodiscoverV1",
            ],
            |target| {
                let answer = subject.send(Request::get(target).host("autodiscover.example.org"))?;
                answer.status(&[200])?;
                answer.header("Content-Type", "application/json")?;
                answer.has("\"https://autodiscover.example.org/autodiscover/autodiscover.xml\"")
            },
        )
    }),
    ("mobileconfig", |subject| {
        each(MOBILECONFIG, |path| {
            let answer = subject.get(path)?;
            answer.status(&[200])?;
            answer.header("Content-Type", "application/x-apple-aspen-config")?;
            answer.has("mail.example.org")
        })
    }),
    ("an unknown domain", |subject| {
        let request = Request::get("/mail/config-v1.1.xml?emailaddress=x@unknown.example");
        subject.send(request.host("autoconfig.unknown.example"))?.refused(&[404])?;
        let request = Request::get("/mail/config-v1.1.xml");
        subject.send(request.host("autoconfig.unknown.example"))?.refused(&[404])
    }),
    ("Host in capitals, with a port, with a final dot", |subject| {
        each(
            ["AUTOCONFIG.Example.ORG", "autoconfig.example.org:80", "autoconfig.example.org."],
            |host| {
                if host.ends_with('.') && !subject.quirks.knows_final_dot {
                    return Ok(());
                }
                subject.send(Request::get(AUTOCONFIG[0]).host(host))?.xml()?.has(IMAP)
            },
        )
    }),
    ("hosts that a proxy would add", |subject| {
        let other = "autoconfig.xn--bcher-kva.example";
        let request = Request::get(AUTOCONFIG[0]).header("X-Forwarded-Host", other);
        let request = request.header("Forwarded", format!("host={other}"));
        let request = request.header("X-Original-URL", "/mobileconfig");
        subject.send(request)?.xml()?.has(IMAP)
    }),
    ("a path with escapes", |subject| {
        each(["/mail/config%2Dv1.1.xml", "/%6Dail/config-v1.1.xml"], |path| {
            let answer = subject.get(path)?;
            // Without the program, it is a path of the site.
            if answer.response.status == 404 { Ok(()) } else { answer.xml()?.has(IMAP) }
        })
    }),
    ("a long query", |subject| {
        let target = format!("{ANN}&padding={}", "x".repeat(4000));
        subject.get(target)?.xml()?.has(IMAP)
    }),
    ("counters are not among the paths of a site", |subject| {
        if subject.quirks.whole_host {
            return Ok(());
        }
        let answer = subject.get("/mailsetup/metrics")?;
        answer.status(&[404])?;
        answer.lacks("mailsetup_build_info")
    }),
    ("the address decides over Host", |subject| {
        each(["ann@xn--bcher-kva.example", "ann@b%C3%BCcher.example"], |address| {
            let target = format!("/mail/config-v1.1.xml?emailaddress={address}");
            subject.get(target)?.xml()?.has(OTHER_IMAP)
        })
    }),
    ("HTTP/1.0 without Host", |subject| {
        subject.send(Request::get(ANN).http_1_0())?.xml()?.has(IMAP)
    }),
    ("an absolute target", |subject| {
        let target = format!("http://autoconfig.example.org{ANN}");
        let answer = subject.get(target)?;
        // lighttpd does not accept requests to a proxy.
        if answer.response.status == 400 { Ok(()) } else { answer.xml()?.has(IMAP) }
    }),
    ("an answer that is known is not sent again", |subject| {
        let answer = subject.get(AUTOCONFIG[0])?;
        answer.header("Cache-Control", "public, max-age=300")?;
        answer.header("Access-Control-Allow-Origin", "*")?;
        let Some(tag) = answer.response.header("ETag") else { return answer.wrong("an ETag") };
        let again = subject.send(Request::get(AUTOCONFIG[0]).header("If-None-Match", tag))?;
        again.status(&[304])?;
        if !again.response.body.is_empty() {
            return again.wrong("no body");
        }
        subject.get(ANN)?.header("Cache-Control", "no-store")
    }),
    ("HEAD is GET without the body", |subject| {
        each([AUTOCONFIG[0], ANN, AUTODISCOVER[0], MOBILECONFIG[0], MOBILECONFIG[1]], |target| {
            let get = subject.get(target)?;
            let head = subject.send(Request::new("HEAD", target))?;
            let mut expected = get.steady_headers();
            if subject.quirks.compresses {
                expected.retain(|(name, _)| name != "vary");
            }
            if !subject.quirks.head_tells_length && head.response.header("Content-Length").is_none()
            {
                expected.retain(|(name, _)| name != "content-length");
            }
            if head.steady_headers() != expected
                || get.response.status != head.response.status
                || !head.response.body.is_empty()
            {
                return Err(format!("{head}\n  instead of the headers of\n  {get}"));
            }
            Ok(())
        })
    }),
    ("other methods", |subject| {
        each(["PUT", "DELETE"], |method| {
            each(AUTOCONFIG, |path| {
                subject.send(Request::new(method, path))?.not_allowed("GET, HEAD")
            })?;
            let request = Request::new(method, AUTODISCOVER[0]);
            subject.send(request)?.not_allowed("GET, HEAD, POST")
        })?;
        each(["PATCH", "BREW"], |method| {
            let answer = subject.send(Request::new(method, AUTOCONFIG[0]))?;
            answer.status(&[400, 403, 404, 405, 501])
        })
    }),
    ("a byte that is no UTF-8 in the address", |subject| {
        let answer = subject.get(b"/mail/config-v1.1.xml?emailaddress=\xff@example.org")?;
        answer.status(&[400])?;
        answer.lacks("\u{fffd}")?;
        subject.still_answers()
    }),
    ("a byte that is no UTF-8 elsewhere", |subject| {
        let answer =
            subject.get(b"/mail/config-v1.1.xml?x=\xff&emailaddress=ann@example.org&\xff=y")?;
        // Web servers may be stricter.
        answer.status(&[200, 400])?;
        subject.still_answers()
    }),
    ("a NUL in the address", |subject| {
        subject.get("/mail/config-v1.1.xml?emailaddress=ann%00@example.org")?.status(&[400])
    }),
    ("a query is never an option", |subject| {
        each(["--config+/etc/passwd", "-h", "--version", "serve+--http+0.0.0.0:8026"], |query| {
            let plain = subject.get(AUTOCONFIG[0])?;
            let answer = subject.get(format!("{}?{query}", AUTOCONFIG[0]))?;
            answer.xml()?.has(IMAP)?;
            if answer.response.body == plain.response.body { Ok(()) } else { answer.wrong("same") }
        })
    }),
    ("10 MB", |subject| {
        let answer = subject.send(Request::post(AUTODISCOVER[0], vec![b'a'; 10_000_000]))?;
        answer.status(subject.quirks.too_long)?;
        subject.still_answers()
    }),
    ("10 MB in chunks", |subject| {
        let answer =
            subject.send(Request::post(AUTODISCOVER[0], vec![b'a'; 10_000_000]).chunked())?;
        answer.status(subject.quirks.too_long)?;
        subject.still_answers()
    }),
    ("the largest body", |subject| {
        let mut body = POX.to_owned();
        body.extend(std::iter::repeat_n(' ', BODY_LIMIT - POX.len()));
        subject.send(Request::post(AUTODISCOVER[0], &body))?.xml()?.has(LOGIN)?;
        body.push(' ');
        subject.send(Request::post(AUTODISCOVER[0], &body))?.status(&[413])
    }),
    ("a body with GET", |subject| {
        let answer = subject.send(Request::get(ANN).body("surprise"))?;
        // lighttpd refuses it.
        if answer.response.status == 400 { Ok(()) } else { answer.xml()?.has(IMAP) }
    }),
    ("markup in Host", |subject| {
        let request = Request::get(AUTOCONFIG[0]).host("<b>.example.org");
        let answer = subject.send(request)?;
        answer.status(&[400, 404])?;
        answer.lacks("<b>")
    }),
    ("markup in the path", |subject| {
        each(["/mail/<b>", "/%3Cb%3E/autodiscover/autodiscover.xml"], |path| {
            let answer = subject.get(path)?;
            answer.status(&[400, 404])?;
            answer.lacks("<b>")
        })
    }),
    ("markup in the query", |subject| {
        let answer = subject.get("/mail/config-v1.1.xml?emailaddress=%3Cb%3E%26@example.org")?;
        answer.lacks("<b>")?;
        answer.refused(&[400])
    }),
    ("several requests on one connection", |subject| {
        let mut requests = [
            Request::get(ANN),
            Request::post(AUTODISCOVER[2], POX),
            Request::new("HEAD", AUTOCONFIG[1]),
            Request::get(AUTOCONFIG[0]).host("autoconfig.unknown.example"),
            Request::get(MOBILECONFIG[0]),
            Request::get(ANN),
        ];
        // It comes last where the connection ends with it.
        let head = if subject.quirks.closes_after_head { 5 } else { 2 };
        requests.swap(2, head);
        let mut answers = subject.send_all(&requests)?;
        answers.swap(2, head);
        answers[0].xml()?.has(IMAP)?;
        answers[1].xml()?.has(LOGIN)?;
        answers[2].status(&[200])?;
        answers[3].status(&[404])?;
        answers[4].status(&[200])?;
        answers[5].xml()?.has(IMAP)
    }),
    ("what comes with the next release is not the site's", |subject| {
        each(
            [
                "/autodiscover/autodiscover.json/v1.1/ann%40example.org",
                "/.well-known/user-agent-configuration.json",
            ],
            |target| {
                let answer = subject.get(target)?;
                let media = answer.response.header("Content-Type").unwrap_or_default();
                if media.starts_with("text/html") {
                    answer.wrong("an answer of ours")
                } else {
                    Ok(())
                }
            },
        )
    }),
    ("calendars and address books, by any method", |subject| {
        each(["caldav", "carddav"], |name| {
            each(["GET", "HEAD", "PROPFIND", "OPTIONS", "POST"], |method| {
                let body = if method == "GET" || method == "HEAD" { "" } else { "<propfind/>" };
                let request = Request::new(method, format!("/.well-known/{name}")).body(body);
                let answer = subject.send(request)?;
                answer.status(&[301])?;
                let folder = if name == "caldav" { "calendars" } else { "contacts" };
                let url = format!("https://dav.example.org/{folder}/");
                match answer.response.header("Location") == Some(url.as_str()) {
                    true => Ok(()),
                    false => answer.wrong(&url),
                }
            })
        })
    }),
    ("an unknown path", |subject| {
        each(["/mail/config-v1.1.xml.bak", "/mail/", "/x/mobileconfig", "/nothing"], |path| {
            let answer = subject.get(path)?;
            if subject.quirks.whole_host { answer.refused(&[404]) } else { answer.status(&[404]) }
        })
    }),
    ("the page for mailbox owners, on host names of our own alone", |subject| {
        if subject.quirks.page {
            let answer = subject.get("/?emailaddress=ann@example.org")?;
            answer.status(&[200])?;
            return answer.has("mobileconfig?emailaddress=ann@example.org");
        }
        let answer = subject.get("/")?;
        match answer.response.header("content-security-policy") {
            None => Ok(()),
            Some(_) => answer.wrong("the site's own page"),
        }
    }),
    ("the site that was there", |subject| {
        if subject.quirks.whole_host {
            return Ok(());
        }
        let answer = subject.get("/hello.txt")?;
        answer.status(&[200])?;
        answer.has("hello")
    }),
];

/// Runs one check on several values.
fn each<T: Copy>(things: impl IntoIterator<Item = T>, check: impl Fn(T) -> Outcome) -> Outcome {
    things.into_iter().try_for_each(check)
}

//------------ Subject -------------------------------------------------------

/// One gateway or web server.
struct Subject<'a> {
    /// Sends requests on one connection, if the protocol has connections.
    send: &'a dyn Fn(&[Request]) -> io::Result<Vec<Response>>,
    quirks: Quirks,
}

/// Permitted differences of a web server.
#[derive(Clone, Copy)]
struct Quirks {
    /// Every path of the host name is passed to the program, not only the known ones.
    whole_host: bool,
    /// The page for mailbox owners is at `/`.
    page: bool,
    /// The status for a body that is too long.
    too_long: &'static [u16],
    /// Whether the response to HEAD has the length of that to GET.
    head_tells_length: bool,
    /// Whether a host name with a dot at its end is the same host.
    knows_final_dot: bool,
    /// Whether the server closes the connection after a HEAD.
    closes_after_head: bool,
    /// Whether the web server compresses responses to GET, and says so (`Vary`).
    compresses: bool,
}

/// For a host name that only this program serves.
const OURS: Quirks = Quirks {
    whole_host: true,
    page: true,
    too_long: &[413],
    head_tells_length: true,
    knows_final_dot: true,
    closes_after_head: false,
    compresses: false,
};

/// For a host name with an existing site.
const SHARED: Quirks = Quirks { whole_host: false, page: false, ..OURS };

impl Subject<'_> {
    fn get(&self, target: impl AsRef<[u8]>) -> Result<Answer, String> {
        self.send(Request::get(target))
    }

    fn send(&self, request: Request) -> Result<Answer, String> {
        Ok(self.send_all(&[request])?.remove(0))
    }

    fn send_all(&self, requests: &[Request]) -> Result<Vec<Answer>, String> {
        let responses = (self.send)(requests).map_err(|err| {
            format!("{}\n  expected an answer\n  got {err}", describe(&requests[0]))
        })?;
        let answers = requests.iter().zip(responses);
        Ok(answers
            .map(|(request, response)| Answer { request: request.clone(), response })
            .collect())
    }

    fn still_answers(&self) -> Outcome {
        self.get(ANN)?.xml()?.has(IMAP)
    }
}

/// A response and its request.
struct Answer {
    request: Request,
    response: Response,
}

impl Answer {
    fn wrong<T>(&self, expected: &str) -> Result<T, String> {
        Err(format!("{}\n  expected {expected}\n  got {self}", describe(&self.request)))
    }

    fn status(&self, statuses: &[u16]) -> Outcome {
        if statuses.contains(&self.response.status) {
            Ok(())
        } else {
            self.wrong(&format!("status {statuses:?}"))
        }
    }

    fn header(&self, name: &str, value: &str) -> Outcome {
        if self.response.header(name) == Some(value) {
            Ok(())
        } else {
            self.wrong(&format!("{name}: {value}"))
        }
    }

    /// 200 with a document; the charset is given in the header or in the document.
    fn xml(&self) -> Result<&Self, String> {
        let media = self.response.header("Content-Type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default();
        if self.response.status == 200 && ["text/xml", "application/xml"].contains(&media) {
            Ok(self)
        } else {
            self.wrong("200 with XML")
        }
    }

    fn has(&self, text: &str) -> Outcome {
        if self.response.text().contains(text) { Ok(()) } else { self.wrong(text) }
    }

    fn lacks(&self, text: &str) -> Outcome {
        if self.response.text().contains(text) { self.wrong(&format!("no {text}")) } else { Ok(()) }
    }

    /// An error of this program: one line of plain text.
    fn refused(&self, statuses: &[u16]) -> Outcome {
        self.status(statuses)?;
        let media = self.response.header("Content-Type").unwrap_or_default();
        let text = self.response.text();
        if media.starts_with("text/plain") && text.lines().count() == 1 && text.ends_with('\n') {
            Ok(())
        } else {
            self.wrong("one line of text/plain")
        }
    }

    fn not_allowed(&self, methods: &str) -> Outcome {
        self.refused(&[405])?;
        self.header("Allow", methods)
    }

    /// The header fields that do not depend on the time or the connection.
    fn steady_headers(&self) -> Vec<(String, String)> {
        let passing = ["date", "connection", "keep-alive", "transfer-encoding"];
        let headers = self.response.headers.iter();
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .filter(|(name, _)| !passing.contains(&name.as_str()))
            .collect();
        headers.sort();
        headers
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = self.response.text().chars().take(160).collect();
        write!(out, "{} {:?} {body:?}", self.response.status, self.response.headers)
    }
}

fn describe(request: &Request) -> String {
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
        .collect();
    format!("{} {} ({})", request.method, request.target.escape_ascii(), headers.join(", "))
}

/// How long the suite may take; it takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs all cases and panics with the list of those that failed.
fn check(subject: &Subject) {
    // With a server that does not respond, every case would wait.
    let deadline = Instant::now() + PATIENCE;
    let run = |(name, case): &(&str, fn(&Subject) -> Outcome)| {
        if Instant::now() > deadline {
            return Some(format!("{name}: not run, the others took too long"));
        }
        Some(format!("{name}: {}", case(subject).err()?))
    };
    let failures: Vec<_> = CASES.iter().filter_map(run).collect();
    let (failed, all) = (failures.len(), CASES.len());
    assert!(failures.is_empty(), "{failed} of {all} cases failed\n\n{}\n", failures.join("\n\n"));
}

//------------ Directly ------------------------------------------------------

/// A sandbox with the suite's configuration.
fn configured() -> (Sandbox, std::path::PathBuf) {
    let sandbox = Sandbox::new();
    let config = sandbox.write("config.toml", CONFIG);
    // A CGI response from a recent file is not cached.
    wait_until_settled(&config);
    (sandbox, config)
}

fn fastcgi(
    requests: &[Request],
    style: Style,
    connect: impl Fn() -> io::Result<Client>,
) -> io::Result<Vec<Response>> {
    let mut client = connect()?;
    let mut responses = Vec::new();
    for request in requests {
        if !style.keep {
            client = connect()?;
        }
        responses.push(client.send(request, style)?);
    }
    Ok(responses)
}

fn check_fastcgi_socket(socket: &Path) {
    for style in [Style::USUAL, Style::ODD] {
        let send = |requests: &[Request]| fastcgi(requests, style, || Client::unix(socket));
        check(&Subject { send: &send, quirks: OURS });
    }
}

fn serve(config: &Path, option: &str, address: &str) -> Command {
    let mut command = command(program());
    command.env("MAILSETUP_CONFIG", config).args(["serve", option, address]);
    command
}

#[test]
fn direct_cgi() {
    let (_sandbox, config) = configured();
    let settings = [("MAILSETUP_CONFIG", config.as_os_str())];
    let program = program();
    let send = |requests: &[Request]| {
        requests.iter().map(|request| cgi::send(&program, request, &settings)).collect()
    };
    check(&Subject { send: &send, quirks: OURS });
}

#[test]
fn direct_fastcgi_unix() {
    let (sandbox, config) = configured();
    let socket = sandbox.path("socket");
    let listen = format!("unix:{},mode=0660", socket.display());
    let mut command = serve(&config, "--listen", &listen);
    let _process =
        Process::start(&sandbox, &mut command).wait_until(|| Client::unix(&socket).is_ok());
    check_fastcgi_socket(&socket);
}

#[test]
fn direct_fastcgi_tcp() {
    let (sandbox, config) = configured();
    let address = local(free_port());
    let mut command = serve(&config, "--listen", &address.to_string());
    let _process = Process::start(&sandbox, &mut command).wait_until(|| listens(address));
    for style in [Style::USUAL, Style::ODD] {
        let send = |requests: &[Request]| fastcgi(requests, style, || Client::tcp(address));
        check(&Subject { send: &send, quirks: OURS });
    }
}

#[test]
fn direct_http() {
    let (sandbox, config) = configured();
    let address = local(free_port());
    let mut command = serve(&config, "--http", &address.to_string());
    let _process = Process::start(&sandbox, &mut command).wait_until(|| listens(address));
    check_http(address, OURS);
}

#[test]
fn spawn_fcgi() {
    let (sandbox, config) = configured();
    let socket = sandbox.path("socket");
    let _process = launchers::spawn_fcgi(&sandbox, &config, &socket);
    check_fastcgi_socket(&socket);
}

#[test]
fn systemd_socket() {
    let (sandbox, config) = configured();
    let socket = sandbox.path("socket");
    let _process = launchers::socket_activate(&sandbox, &config, &socket);
    check_fastcgi_socket(&socket);
}

#[test]
fn systemd_socket_as_standard_input() {
    let (sandbox, config) = configured();
    let socket = sandbox.path("socket");
    let _process = launchers::socket_activate_inetd(&sandbox, &config, &socket);
    check_fastcgi_socket(&socket);
}

/// The configuration of the suite, as variables. The URLs are those of
/// one domain in the file; no case asks for them with the other.
pub const VARIABLES: [(&str, &str); 3] = [
    ("MAILSETUP_DOMAINS", "example.org,xn--bcher-kva.example"),
    ("MAILSETUP_CALDAV_URL", "https://dav.example.org/calendars/"),
    ("MAILSETUP_CARDDAV_URL", "https://dav.example.org/contacts/"),
];

/// Runs the suite against a service with this configuration that listens for both.
pub fn check_service(http: SocketAddr, fastcgi_address: SocketAddr) {
    check_http(http, OURS);
    for style in [Style::USUAL, Style::ODD] {
        let send = |requests: &[Request]| fastcgi(requests, style, || Client::tcp(fastcgi_address));
        check(&Subject { send: &send, quirks: OURS });
    }
}

/// Runs the suite against the dedicated host names of a web server on port 80, and over https.
pub fn check_web_server() {
    check_http(HTTP, OURS);
    https_alike();
}

/// The configuration by variables alone.
#[test]
fn direct_by_environment_alone() {
    let sandbox = Sandbox::new();
    let (http, fastcgi) = (local(free_port()), local(free_port()));
    let mut command = command(program());
    command.envs(VARIABLES).args(["serve", "--http", &http.to_string()]);
    command.args(["--listen", &fastcgi.to_string()]);
    let _process =
        Process::start(&sandbox, &mut command).wait_until(|| listens(http) && listens(fastcgi));
    check_service(http, fastcgi);
}

//------------ Behind web servers --------------------------------------------

fn check_http(address: SocketAddr, quirks: Quirks) {
    let send = |requests: &[Request]| http::send_all(address, requests);
    check(&Subject { send: &send, quirks });
}

/// Starts a web server in a new namespace and runs the suite against port 80, then `also`; after
/// the server has ended, checks its access log.
fn check_server(
    start: impl Fn(&Namespace) -> Vec<Process> + Send,
    quirks: Quirks,
    also: fn(),
    access_log: Option<&str>,
) {
    Namespace::run(|world| check_in(world, start, quirks, also, access_log));
}

fn check_in(
    world: &Namespace,
    start: impl Fn(&Namespace) -> Vec<Process>,
    quirks: Quirks,
    also: fn(),
    access_log: Option<&str>,
) {
    let config = Path::new("/etc/mailsetup/config.toml");
    write(config, CONFIG);
    let processes = start(world);
    // A CGI response from a recent file is not cached.
    let on_shared_hosting =
        ["/var/www/account/mailsetup.toml", "/var/www/account/public_html/mailsetup.toml"];
    let places = on_shared_hosting.into_iter().chain([nginx::CHROOT_CONFIG]).map(Path::new);
    let configs = places.chain([config]).filter(|config| config.exists());
    configs.for_each(wait_until_settled);
    check_http(HTTP, quirks);
    also();
    // The last lines of a log are often written at exit.
    drop(processes);
    access_log.into_iter().for_each(tidy_log);
}

fn nothing() {}

/// An access log contains no mailbox, whether it has the requests of the suite or not.
fn tidy_log(path: &str) {
    let log = std::fs::read_to_string(path).unwrap_or_else(|err| panic!("{path}: {err}"));
    assert!(!log.is_empty(), "{path} is empty");
    // lighttpd refuses malformed requests before it evaluates paths.
    let refused_early = |line: &str| path == LIGHTTPD_LOG && line.contains("\" 400 ");
    let telling: Vec<_> = log
        .lines()
        .filter(|line| !refused_early(line))
        .filter(|line| ["ann@", "ann%40", "emailaddress="].iter().any(|word| line.contains(word)))
        .collect();
    assert!(telling.is_empty(), "{path} names a mailbox:\n{}", telling.join("\n"));
}

/// The responses over https are those over http; the certificate is not checked here.
fn https_alike() {
    for (host, path, expected) in [
        ("autoconfig.example.org", ANN, IMAP),
        ("autodiscover.example.org", "/AutoDiscover/AutoDiscover.XML", "mail.example.org"),
    ] {
        let url = format!("https://{host}{path}");
        let resolve = format!("{host}:443:127.0.0.1");
        let arguments = ["-sSk", "--fail", "--max-redirs", "0", "--resolve", &resolve, &url];
        let answer = run(command("curl").args(arguments.map(OsStr::new)));
        assert!(answer.contains(expected), "{url}: {answer}");
    }
}

const NGINX_LOG: &str = "/var/log/nginx/access.log";
const APACHE_LOG: &str = "/var/log/apache2/access.log";
const LIGHTTPD_LOG: &str = "/var/log/lighttpd/access.log";

/// Since 2.4.59 Apache computes the length of a program's response itself, which is not possible
/// for HEAD.
const APACHE: Quirks = Quirks { head_tells_length: false, ..SHARED };

#[test]
fn nginx_snippet() {
    check_server(nginx::snippet, SHARED, nothing, Some(NGINX_LOG));
}

#[test]
fn nginx_vhost_keeping_connections() {
    check_server(nginx::vhost, OURS, https_alike, Some(NGINX_LOG));
}

#[test]
fn nginx_certificate_for_each_name() {
    check_server(nginx::many, OURS, https_alike, Some(NGINX_LOG));
}

#[test]
fn nginx_fcgiwrap() {
    check_server(nginx::fcgiwrap, SHARED, nothing, Some(NGINX_LOG));
}

#[test]
fn nginx_fcgiwrap_in_chroot() {
    check_server(nginx::fcgiwrap_in_chroot, SHARED, nothing, Some(NGINX_LOG));
}

#[test]
fn nginx_of_hestia() {
    let also = || {
        https_alike();
        panels::hestia_answers_lets_encrypt();
    };
    check_server(panels::hestia_proxy, OURS, also, None);
    check_server(panels::hestia_nginx, OURS, also, None);
}

#[test]
fn nginx_of_ispconfig() {
    let also = panels::ispconfig_answers_lets_encrypt;
    check_server(panels::ispconfig_nginx, SHARED, also, Some(NGINX_LOG));
}

#[test]
fn apache_of_virtualmin() {
    check_server(panels::virtualmin, APACHE, nothing, Some(APACHE_LOG));
}

#[test]
fn apache_proxy_fcgi() {
    check_server(apache::proxy_fcgi, APACHE, nothing, Some(APACHE_LOG));
}

#[test]
fn apache_vhost_keeping_connections() {
    check_server(
        apache::vhost,
        Quirks { whole_host: true, page: true, ..APACHE },
        https_alike,
        Some(APACHE_LOG),
    );
}

#[test]
fn apache_fcgid() {
    check_server(apache::fcgid, APACHE, nothing, Some(APACHE_LOG));
}

#[test]
fn apache_cgid() {
    check_server(apache::cgid, APACHE, nothing, Some(APACHE_LOG));
}

#[test]
fn apache_cgi() {
    check_server(apache::cgi, APACHE, nothing, Some(APACHE_LOG));
}

#[test]
fn apache_htaccess() {
    check_server(apache::htaccess, Quirks { page: true, ..APACHE }, config_is_hidden, None);
}

#[test]
fn apache_htaccess_fcgid() {
    // mod_fcgid's own limit results in 500, and .htaccess cannot change it.
    let quirks = Quirks { too_long: &[413, 500], page: true, ..APACHE };
    check_server(apache::htaccess_fcgid, quirks, config_is_hidden, None);
}

/// As a user of a hoster, without rights; with the static program by `make test-hosting`.
#[test]
fn apache_shared_hosting() {
    check_server(hosting::suexec, Quirks { page: true, ..APACHE }, nothing, None);
}

/// The configuration next to the program is never served.
fn config_is_hidden() {
    let root = Path::new("/var/www/account");
    let names = [
        "mailsetup.toml",
        "MAILSETUP.TOML",
        "mailsetup.toml~",
        "mailsetup.toml.bak",
        "mailsetup.toml.save",
        "mailsetup.toml.orig",
        "mailsetup.toml.2026-11-26",
        "mailsetup.toml_old",
        "mailsetup.toml2",
        "domains.txt",
        "lists/domains.txt",
        "mailsetup.bak",
        ".mailsetup.toml.swp",
        "#mailsetup.toml#",
        "domains.d/example.org.toml",
        "profile.pem",
        "profile.key",
        "profile.crt",
        "profile.csr",
        "profile.p12",
        "keys/profile.key.old",
    ];
    for name in names {
        write(&root.join(name), "[domain]");
    }
    let encoded = names.map(|name| format!("/{}", name.replace('#', "%23")));
    let others = ["/mailsetup%2Etoml", "//mailsetup.toml", "/mailsetup.toml/", "/profile.key/x"];
    for target in encoded.iter().map(String::as_str).chain(others) {
        let response = http::send(HTTP, &Request::get(target)).expect("an answer");
        assert_eq!(response.status, 404, "{target}");
        assert!(!response.text().contains("[domain"), "{target}: {}", response.text());
    }
    // Other files of the folder are served.
    for name in ["key.txt", "toml.txt", "monkey.html"] {
        write(&root.join(name), "the site's");
        let target = format!("/{name}");
        let response = http::send(HTTP, &Request::get(&target)).expect("an answer");
        assert_eq!(response.text(), "the site's", "{name}");
    }
}

#[test]
fn lighttpd_fastcgi() {
    check_server(lighttpd::fastcgi, SHARED, nothing, Some(LIGHTTPD_LOG));
}

#[test]
fn lighttpd_cgi() {
    check_server(lighttpd::cgi, SHARED, nothing, Some(LIGHTTPD_LOG));
}

/// HAProxy refuses a chunked body that does not fit into its buffer, since FastCGI needs its
/// length.
const HAPROXY: Quirks = Quirks { too_long: &[413, 400], ..SHARED };

#[test]
fn haproxy_site() {
    check_server(haproxy::start, HAPROXY, nothing, None);
}

#[test]
fn haproxy_site_over_http() {
    check_server(haproxy::http, SHARED, nothing, None);
}

#[test]
fn caddy_site() {
    check_server(caddy::start, OURS, caddy_alike, None);
}

#[test]
fn caddy_on_demand() {
    check_server(caddy::on_demand, OURS, https_alike, None);
}

fn caddy_alike() {
    https_alike();
    check_http(caddy::SITE, SHARED);
}

/// h2o compares the Host with its dot, and closes the connection after a HEAD.
const H2O: Quirks = Quirks { knows_final_dot: false, closes_after_head: true, ..OURS };

#[test]
fn h2o_hosts() {
    if h2o::is_packaged() {
        check_server(h2o::start, H2O, https_alike, None);
    }
}

#[test]
fn h2o_beside_a_site() {
    if !h2o::is_packaged() {
        return;
    }
    Namespace::run(|world| {
        write(Path::new("/etc/mailsetup/config.toml"), CONFIG);
        let processes = h2o::beside_a_site(world);
        let get = |host: &str, target: &str| {
            http::send(HTTP, &Request::get(target).host(host)).expect("an answer").text()
        };
        assert!(get("autoconfig.example.org", ANN).contains(IMAP));
        assert!(get("AutoDiscover.example.org", "/Mail/Config-V1.1.xml").contains(IMAP));
        assert_eq!(get("site.example", "/hello.txt"), "hello\n");
        assert_eq!(get("unknown.example", "/hello.txt"), "hello\n");
        assert!(!get("site.example", ANN).contains(IMAP));
        drop(processes);
        // Only the requests to the site.
        let log = std::fs::read_to_string("/var/log/h2o-access.log").expect("a log");
        assert_eq!(log.lines().count(), 3, "{log}");
    });
}

//------------ As `mailsetup hook` prints the files --------------------------

/// A path and an address other than those of contrib.
const SOCKETS: [&str; 2] = ["unix:/run/mail-clients/a+b@c.sock", "127.0.0.1:9025"];

/// The suite with the printed file, connected by a path and by an address.
fn check_hooked(
    start: fn(&Namespace) -> Vec<Process>,
    quirks: Quirks,
    also: fn(),
    access_log: Option<&str>,
) {
    for socket in SOCKETS {
        check_server(hooked(socket, start), quirks, also, access_log);
    }
}

#[test]
fn hooked_nginx() {
    check_hooked(nginx::snippet, SHARED, nothing, Some(NGINX_LOG));
    check_hooked(nginx::vhost, OURS, https_alike, Some(NGINX_LOG));
    check_server(hooked(SOCKETS[0], nginx::fcgiwrap), SHARED, nothing, Some(NGINX_LOG));
}

#[test]
fn hooked_apache() {
    check_hooked(apache::proxy_fcgi, APACHE, nothing, Some(APACHE_LOG));
    let ours = Quirks { whole_host: true, page: true, ..APACHE };
    check_hooked(apache::vhost, ours, https_alike, Some(APACHE_LOG));
    for start in [apache::fcgid, apache::cgid] {
        check_server(hooked(SOCKETS[0], start), APACHE, nothing, Some(APACHE_LOG));
    }
}

#[test]
fn hooked_lighttpd() {
    check_hooked(lighttpd::fastcgi, SHARED, nothing, Some(LIGHTTPD_LOG));
    check_server(hooked(SOCKETS[0], lighttpd::cgi), SHARED, nothing, Some(LIGHTTPD_LOG));
}

#[test]
fn hooked_others() {
    check_hooked(caddy::start, OURS, caddy_alike, None);
    check_hooked(haproxy::start, HAPROXY, nothing, None);
    check_server(hooked(SOCKETS[1], haproxy::http), SHARED, nothing, None);
    if h2o::is_packaged() {
        check_hooked(h2o::start, H2O, https_alike, None);
    }
}

/// A web server of another system, with the installed package behind it: its kind, and the
/// configuration of that package.
#[test]
#[ignore = "needs a system with the package: make test-packages"]
fn packaged() {
    let of = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let quirks = match &*of("PACKAGED_SERVER") {
        // Debian loads mod_deflate.
        "apache" => Quirks { compresses: true, ..APACHE },
        "lighttpd" | "nginx" => SHARED,
        other => panic!("PACKAGED_SERVER={other}"),
    };
    let config = of("PACKAGED_CONFIG");
    write(Path::new(&config), CONFIG);
    let unknown = Request::get(AUTOCONFIG[0]).host("autoconfig.unknown.example");
    let deadline = Instant::now() + PATIENCE;
    while http::send(HTTP, &unknown).expect("an answer").status != 404 {
        assert!(Instant::now() < deadline, "the edit of {config} is not used");
        std::thread::sleep(Duration::from_millis(100));
    }
    check_http(HTTP, quirks);
}
