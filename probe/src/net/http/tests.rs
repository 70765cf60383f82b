use super::*;
use crate::net::dns::{Families, Resolver};
use crate::net::tls::testing::{Wish, accept, acceptor, authority, leaf, server, trust};
use crate::net::tls::{Reason, Trust};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(5);

fn client_for(trust: Trust, addresses: &[IpAddr], limits: Limits) -> Client {
    let overrides = addresses.iter().map(|address| ("example.org".to_owned(), *address));
    let resolver = Arc::new(Resolver::new(Vec::new(), overrides.collect()));
    Client::new(resolver, trust, Families { v4: true, v6: true }, limits)
}

fn client() -> Client {
    client_for(Trust::new(None).unwrap(), &[V4], Limits::default())
}

fn get(url: String) -> Sent {
    Sent { method: "GET", url, agent: "", media_type: "", body: String::new() }
}

fn url(address: SocketAddr) -> String {
    format!("http://example.org:{}/", address.port())
}

/// Reads a request with its body.
async fn request<T: AsyncRead + Unpin>(stream: &mut T) -> String {
    let mut text = Vec::new();
    loop {
        let shown = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = shown.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return shown;
            }
        }
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(_) => return shown,
        }
    }
}

/// Ends the response, and waits until the client has read it.
async fn end<T: AsyncRead + AsyncWrite + Unpin>(mut stream: T) {
    let _ = stream.shutdown().await;
    let _ = timeout(SHORT, stream.read_u8()).await;
}

/// A server that gives each request the response that `respond` makes of it.
async fn answering(
    respond: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (respond, kept) = (Arc::new(respond), Arc::clone(&requests));
    let address = server(move |mut stream| {
        let (respond, kept) = (Arc::clone(&respond), Arc::clone(&kept));
        async move {
            let request = request(&mut stream).await;
            let response = respond(&request);
            kept.lock().unwrap().push(request);
            let _ = stream.write_all(response.as_bytes()).await;
            end(stream).await;
        }
    })
    .await;
    (address, requests)
}

/// A server that sends these octets, and then `part` without an end, with a pause after each.
async fn sending(begin: &'static [u8], part: &'static [u8], pause: Duration) -> SocketAddr {
    server(move |mut stream| async move {
        let _ = request(&mut stream).await;
        let _ = stream.write_all(begin).await;
        while !part.is_empty() && stream.write_all(part).await.is_ok() {
            if !pause.is_zero() {
                sleep(pause).await;
            }
        }
        end(stream).await;
    })
    .await
}

async fn outcome_of(begin: &'static [u8], part: &'static [u8], pause: Duration) -> Outcome {
    outcome_within(SHORT, begin, part, pause).await
}

async fn outcome_within(
    limit: Duration,
    begin: &'static [u8],
    part: &'static [u8],
    pause: Duration,
) -> Outcome {
    let address = sending(begin, part, pause).await;
    let begun = Instant::now();
    let exchange = client().exchange(get(url(address)), limit).await;
    assert!(begun.elapsed() < limit + Duration::from_secs(2));
    assert_eq!(exchange.hops.len(), 1);
    let hop = exchange.last().unwrap();
    assert_eq!(hop.address, Some(V4));
    hop.outcome.clone()
}

fn broken(outcome: Outcome) -> String {
    match outcome {
        Outcome::Broken(text) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_are_those_of_a_client() {
    let (address, requests) = answering(|_| {
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/xml\r\nX: a\r\nX: b\r\nContent-Length: 3\r\n\r\nabc"
            .to_owned()
    })
    .await;
    let client = client();
    let port = address.port();
    let plain = get(format!("http://EXAMPLE.org:{port}/a?b=c%40d#e"));
    let exchange = client.exchange(plain.clone(), LONG).await;
    let response = exchange.response().unwrap();
    assert_eq!((response.status, response.body.as_slice()), (404, &b"abc"[..]));
    assert_eq!(
        (response.field("content-type"), response.field("x")),
        (Some("text/xml"), Some("a"))
    );
    assert!(!response.is_cut && !response.is_success());
    assert_eq!(response.fields.len(), 4);
    assert_eq!(exchange.hops[0].url, format!("http://example.org:{port}/a?b=c%40d"));
    let post = Sent {
        method: "POST",
        url: format!("http://example.org:{port}/x"),
        agent: "Agent/1",
        media_type: "text/xml",
        body: "<a>ü</a>".to_owned(),
    };
    assert_eq!(client.exchange(post.clone(), LONG).await.sent, post);
    // Asked before: not sent again.
    assert_eq!(client.exchange(plain, LONG).await, exchange);
    let host = format!("Host: example.org:{port}\r\n");
    let expected = [
        format!("GET /a?b=c%40d HTTP/1.1\r\n{host}Accept: */*\r\nConnection: close\r\n\r\n"),
        format!(
            "POST /x HTTP/1.1\r\n{host}User-Agent: Agent/1\r\nAccept: */*\r\n\
             Content-Type: text/xml\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<a>ü</a>"
        ),
    ];
    assert_eq!(*requests.lock().unwrap(), expected);
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn concurrent_equal_requests_share_one() {
    let (address, requests) = answering(|_| "HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    let client = client();
    let ask = || client.exchange(get(url(address)), LONG);
    let (one, other) = tokio::join!(ask(), ask());
    assert_eq!(one, other);
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn redirects_are_followed_and_recorded() {
    let (address, requests) = answering(|request| {
        let (status, location) = match request.split(' ').nth(1).unwrap() {
            "/302" => (302, "/307x"),
            "/307" => (307, "303"),
            "/303" => (303, "?end"),
            "/308" => (308, "/end"),
            _ => return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        };
        format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
    })
    .await;
    let client = client();
    let base = url(address);
    for (path, hops) in [
        ("302", &[("POST", "302"), ("GET", "307x")][..]),
        ("307", &[("POST", "307"), ("POST", "303"), ("GET", "303?end")]),
        ("308", &[("POST", "308"), ("POST", "end")]),
    ] {
        requests.lock().unwrap().clear();
        let post = Sent { method: "POST", body: "body".to_owned(), ..get(format!("{base}{path}")) };
        let exchange = client.exchange(post, LONG).await;
        let found: Vec<_> = exchange.hops.iter().map(|hop| (hop.method, hop.url.clone())).collect();
        let hops: Vec<_> = hops.iter().map(|(m, path)| (*m, format!("{base}{path}"))).collect();
        assert_eq!(found, hops);
        assert_eq!(exchange.response().unwrap().body, b"ok");
        for (request, (method, _)) in requests.lock().unwrap().iter().zip(&hops) {
            assert_eq!(request.ends_with("\r\n\r\nbody"), *method == "POST", "{request}");
        }
    }
}

#[tokio::test]
async fn redirects_end() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (address, requests) = answering(move |request| {
        let path = request.split(' ').nth(1).unwrap();
        let location = match path {
            "/circle" => "/circle".to_owned(),
            "/file" => "file:///etc/passwd".to_owned(),
            "/user" => "https://ann@example.org/".to_owned(),
            "/huge" => format!("/{}", "a".repeat(10_000)),
            "/odd" => "//example.\u{202e}org/".to_owned(),
            "/address" => format!("http://{closed}/"),
            path => format!("{path}a"),
        };
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n")
    })
    .await;
    let client = client();
    let ask = async |path: &str| {
        let exchange = client.exchange(get(format!("{}{path}", url(address))), LONG).await;
        (exchange.hops.len(), exchange.last().unwrap().clone())
    };
    let (hops, last) = ask("circle").await;
    assert_eq!((hops, last.outcome), (2, Outcome::NotAsked("too many redirects")));
    requests.lock().unwrap().clear();
    let (hops, last) = ask("").await;
    assert_eq!((hops, last.outcome), (12, Outcome::NotAsked("too many redirects")));
    assert_eq!(requests.lock().unwrap().len(), 1 + MAX_REDIRECTS);
    for path in ["file", "user", "huge", "odd"] {
        let (hops, last) = ask(path).await;
        assert_eq!(hops, 2, "{path}");
        assert!(last.url.chars().count() <= 201, "{}", last.url);
        assert!(broken(last.outcome).starts_with("the URL cannot be asked for: "));
    }
    let (_, last) = ask("address").await;
    assert_eq!(last.outcome, Outcome::Unreachable("connection refused".to_owned()));
    assert_eq!(last.dead, [(V4, "connection refused".to_owned())]);
}

#[tokio::test]
async fn ports_of_other_services_are_not_asked() {
    let location = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:22/\r\n\r\n";
    let (address, _) = answering(move |_| location.to_owned()).await;
    let exchange = client().exchange(get(url(address)), LONG).await;
    let not_asked = Outcome::NotAsked("the port is that of another service");
    assert_eq!(exchange.hops.len(), 2);
    assert_eq!(exchange.hops[1].outcome, not_asked);
    let exchange = client().exchange(get("https://127.0.0.1:993/".into()), LONG).await;
    assert_eq!(exchange.hops[0].outcome, not_asked);
}

#[tokio::test]
async fn urls_that_cannot_be_asked_for_are_told() {
    let exchange = client().exchange(get("ftp://example.org/".to_owned()), LONG).await;
    let hop = exchange.last().unwrap();
    assert_eq!(hop.url, "ftp://example.org/");
    let text = broken(hop.outcome.clone());
    assert_eq!(text, "the URL cannot be asked for: it is not an http or https URL");
}

#[tokio::test]
async fn bodies_are_bounded() {
    let zero = Duration::ZERO;
    let chunk = [&b"400\r\n"[..], &[b'a'; 0x400], b"\r\n"].concat();
    for (begin, part) in [
        (&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'a'; 5000][..]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", &[b'a'; 5000]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk.leak()),
    ] {
        let outcome = outcome_within(LONG, begin, part, zero).await;
        let Outcome::Response(response) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!((response.body.len(), response.is_cut), (MAX_BODY, true));
    }
    // Only extensions of chunks, and chunks of nothing but digits.
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for part in [&b"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..], b"0"] {
        let outcome = outcome_of(begin, part, zero).await;
        assert!(matches!(outcome, Outcome::Broken(_) | Outcome::TimedOut), "{outcome:?}");
    }
}

#[tokio::test]
async fn dripping_ends_at_the_limit() {
    let pause = Duration::from_millis(50);
    for begin in [
        &b"HTTP/1.1 200 OK\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
    ] {
        let part: &[u8] = if begin.is_empty() { b"HTTP/1.1 100 Continue\r\n\r\n" } else { b"a" };
        assert_eq!(outcome_of(begin, part, pause).await, Outcome::TimedOut, "{begin:?}");
    }
    // Without a pause, it ends after a number of octets: no other connection may wait for this one.
    let outcome = outcome_within(LONG, b"", b"HTTP/1.1 100 Continue\r\n\r\n", Duration::ZERO).await;
    assert_eq!(broken(outcome), "the connection was closed before the response was complete");
}

#[tokio::test]
async fn what_is_not_http_is_told() {
    let zero = Duration::ZERO;
    let all = |begin| outcome_within(LONG, begin, b"", zero);
    assert_eq!(
        broken(
            outcome_within(LONG, b"HTTP/1.1 200 OK\r\n", b"X: aaaaaaaaaaaaaaaa\r\n", zero).await
        ),
        "the header has more than 32 KiB, or more than 500 fields"
    );
    let begin = b"HTTP/1.1 200 OK\r\nX:";
    broken(outcome_within(LONG, begin, b"aaaaaaaaaaaaaaaaaaaaaa", zero).await);
    for begin in [
        &b"* OK IMAP4rev1 ready\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\0\xff\xff\0\x05\0\xff\xff\xff",
        b"<html>no header</html>\r\n\r\n",
        b"HTTP/1.1 99999 x\r\n\r\n",
    ] {
        let text = broken(all(begin).await);
        assert!(text.starts_with("the response is not HTTP: "), "{text}");
    }
    for begin in [
        &b""[..],
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let text = broken(all(begin).await);
        assert!(text.starts_with("the connection was closed before"), "{text}");
    }
    // More octets than announced are not part of the response.
    let more = all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef").await;
    assert!(matches!(more, Outcome::Response(response) if response.body == b"ab"));
}

#[tokio::test]
async fn codings_are_left_as_they_are() {
    let outcome = outcome_of(
        b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08bomb",
        b"",
        Duration::ZERO,
    );
    let Outcome::Response(response) = outcome.await else {
        panic!("no response");
    };
    assert_eq!(response.body, b"\x1f\x8b\x08bomb");
    assert_eq!(response.field("content-encoding"), Some("gzip"));
}

#[tokio::test]
async fn dead_addresses_are_told() {
    // This address has no server at this port.
    let other = IpAddr::from([127, 0, 0, 3]);
    let (address, _) = answering(|_| "HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    let both = client_for(Trust::new(None).unwrap(), &[other, V4], Limits::default());
    for path in ["a", "b"] {
        let exchange = both.exchange(get(format!("{}{path}", url(address))), LONG).await;
        let hop = exchange.last().unwrap();
        assert_eq!((hop.address, exchange.response().unwrap().status), (Some(V4), 204));
        assert_eq!(hop.dead.len(), 1);
        assert_eq!(hop.dead[0], (other, "connection refused".to_owned()));
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let exchange = both.exchange(get(url(closed)), LONG).await;
    let hop = exchange.last().unwrap();
    assert!(matches!(hop.outcome, Outcome::Unreachable(_)));
    assert_eq!((hop.address, hop.dead.len()), (None, 2));
    let nowhere = client().exchange(get("http://example.net/".to_owned()), LONG).await;
    let Outcome::NoAddress(answers) = &nowhere.last().unwrap().outcome else {
        panic!("{nowhere:?}");
    };
    assert_eq!(answers.len(), 2);
}

#[test]
fn the_lack_of_a_network_is_no_fault_of_the_server() {
    let reason = |code| dial::reason(&std::io::Error::from_raw_os_error(code));
    // ENETUNREACH, EADDRNOTAVAIL; ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT.
    let of_this_computer =
        [101, 99, 111, 113, 110].map(|code| dial::is_of_this_computer(&reason(code)));
    assert_eq!(of_this_computer, [true, true, false, false, false]);
    assert_eq!(
        (reason(111), reason(113)),
        ("connection refused".into(), "no route to host".into())
    );
}

#[tokio::test]
async fn silent_addresses_are_dead_after_a_while() {
    let (address, _) = answering(|_| "HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    // A listener whose queue is full does not answer.
    let silent = IpAddr::from([127, 0, 0, 2]);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(silent, address.port())).unwrap();
    let listener = socket.listen(0).unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) =
        timeout(Duration::from_millis(50), TcpStream::connect(listener.local_addr().unwrap())).await
    {
        queued.push(stream.unwrap());
    }
    let both = client_for(Trust::new(None).unwrap(), &[silent, V4], Limits::default());
    let exchange = both.exchange(get(url(address)), LONG).await;
    let hop = exchange.last().unwrap();
    assert_eq!((hop.address, exchange.response().unwrap().status), (Some(V4), 204));
    assert_eq!(hop.dead, [(silent, "no answer in 2 s".to_owned())]);
    assert!(hop.took < Duration::from_secs(1), "{:?}", hop.took);
    // It is known now, and not waited for.
    let begun = Instant::now();
    let again = both.exchange(get(format!("{}again", url(address))), LONG).await;
    assert_eq!(again.last().unwrap().dead, hop.dead);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn limits_hold() {
    let (address, requests) = answering(|_| "HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    let ask = async |limits: Limits, limit: Duration| {
        let client = client_for(Trust::new(None).unwrap(), &[V4], limits);
        let mut outcomes = Vec::new();
        for path in ["a", "b", "c"] {
            let exchange = client.exchange(get(format!("{}{path}", url(address))), limit).await;
            outcomes.push(exchange.last().unwrap().outcome.clone());
        }
        outcomes
    };
    let outcomes = ask(Limits { requests: 2, ..Limits::default() }, LONG).await;
    assert_eq!(outcomes[2], Outcome::NotAsked("the limit of requests is reached"));
    let outcomes = ask(Limits { per_domain: 2, ..Limits::default() }, LONG).await;
    assert_eq!(outcomes[2], Outcome::NotAsked("the limit of requests to this domain is reached"));
    assert_eq!(requests.lock().unwrap().len(), 4);
    let deadline = Some(Instant::now());
    let outcomes = ask(Limits { deadline, ..Limits::default() }, LONG).await;
    assert_eq!(outcomes[0], Outcome::NotAsked("no time left"));
    let silent = server(|stream| async move {
        sleep(LONG).await;
        drop(stream);
    })
    .await;
    let deadline = Some(Instant::now() + Duration::from_millis(100));
    let client =
        client_for(Trust::new(None).unwrap(), &[V4], Limits { deadline, ..Limits::default() });
    let exchange = client.exchange(get(url(silent)), LONG).await;
    assert_eq!(exchange.last().unwrap().outcome, Outcome::NotAsked("no time left"));
}

static OPEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[tokio::test]
async fn connections_to_one_host_are_few() {
    let address = server(|mut stream| async move {
        MOST.fetch_max(OPEN.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let _ = request(&mut stream).await;
        sleep(Duration::from_millis(200)).await;
        OPEN.fetch_sub(1, Ordering::Relaxed);
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        end(stream).await;
    })
    .await;
    let limits = Limits { connections: 2, ..Limits::default() };
    let client = Arc::new(client_for(Trust::new(None).unwrap(), &[V4], limits));
    let mut tasks = tokio::task::JoinSet::new();
    for count in 0..6 {
        let (client, sent) = (Arc::clone(&client), get(format!("{}{count}", url(address))));
        // The time to wait for a connection is not the time of the request.
        tasks.spawn(async move { client.exchange(sent, Duration::from_millis(500)).await });
    }
    for exchange in tasks.join_all().await {
        assert_eq!(exchange.response().unwrap().status, 204);
    }
    assert_eq!(MOST.load(Ordering::Relaxed), 2);
}

async fn tls_server(acceptor: openssl::ssl::SslAcceptor, seen: &'static AtomicUsize) -> u16 {
    let acceptor = Arc::new(acceptor);
    let serve = move |stream: TcpStream| {
        let acceptor = Arc::clone(&acceptor);
        async move {
            let Some(mut stream) = accept(&acceptor, stream).await else {
                return;
            };
            if request(&mut stream).await.is_empty() {
                return;
            }
            seen.fetch_add(1, Ordering::Relaxed);
            // No length and no close_notify: the end of the connection is the end of the body.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nsecret").await;
            let _ = stream.get_mut().shutdown().await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    server(serve).await.port()
}

#[tokio::test]
async fn https_is_checked() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let root = authority("root");
    let client = client_for(trust(&root), &[V4], Limits::default());
    let ask = async |port| {
        let url = format!("https://example.org:{port}/");
        client.exchange(get(url), LONG).await.last().unwrap().clone()
    };
    let good = ask(tls_server(acceptor(&leaf(&root), &[], None), &SEEN).await).await;
    assert_eq!(good.response().unwrap().body, b"secret");
    assert_eq!(good.session.unwrap().certificate.names, ["example.org"]);
    assert_eq!(SEEN.load(Ordering::Relaxed), 1);
    let other = Wish { dns: &["example.net"], issuer: Some(&root), ..Wish::default() }.make();
    let refused = ask(tls_server(acceptor(&other, &[], None), &SEEN).await).await;
    let Outcome::Tls(refused) = refused.outcome else {
        panic!("{refused:?}");
    };
    assert_eq!(refused.reason, Reason::Name);
    let old = acceptor(&leaf(&root), &[], Some(openssl::ssl::SslVersion::TLS1_1));
    let refused = ask(tls_server(old, &SEEN).await).await;
    let Outcome::Tls(refused) = refused.outcome else {
        panic!("{refused:?}");
    };
    assert_eq!(refused.reason, Reason::OldProtocol);
    assert_eq!(refused.seen.unwrap().certificate.names, ["example.org"]);
    // No request was sent to either.
    assert_eq!(SEEN.load(Ordering::Relaxed), 1);
    let plain = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        end(stream).await;
    });
    let refused = ask(plain.await.port()).await;
    assert!(matches!(refused.outcome, Outcome::Tls(refused) if refused.reason == Reason::NotTls));
}

#[tokio::test]
async fn slow_tls_ends_at_the_limit() {
    let address = server(|mut stream| async move {
        while stream.write_all(b"\x16").await.is_ok() {
            sleep(LONG).await;
        }
    })
    .await;
    let url = format!("https://example.org:{}/", address.port());
    let exchange = client().exchange(get(url), SHORT).await;
    let hop = exchange.last().unwrap();
    assert_eq!((hop.address, &hop.outcome), (Some(V4), &Outcome::TimedOut));
}
