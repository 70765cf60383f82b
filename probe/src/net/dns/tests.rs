//! A DNS server on the loopback address, with what servers do right and wrong.

use super::resolver::servers_of;
use super::{Answer, Families, Kind, Outcome, Reading, Record, Resolver, read};
use simple_dns::rdata::{A, AAAA, CNAME, MX, RData, SOA, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// What is sent for a question, in this order: name, type, true for TCP, its message.
type Reply = fn(&str, TYPE, bool, &[u8]) -> Vec<Vec<u8>>;

struct Server {
    address: SocketAddr,
    questions: Arc<AtomicUsize>,
}

impl Server {
    async fn start(reply: Reply) -> Server {
        // One number for both: another program may have the port of TCP.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let server = Server { address: udp.local_addr().unwrap(), questions: Arc::default() };
        let questions = server.questions.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            loop {
                let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
                questions.fetch_add(1, Ordering::Relaxed);
                for message in answer(reply, &buffer[..length], false) {
                    udp.send_to(&message, from).await.unwrap();
                }
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let mut question = vec![0; stream.read_u16().await.unwrap().into()];
                stream.read_exact(&mut question).await.unwrap();
                for message in answer(reply, &question, true) {
                    stream.write_u16(message.len() as u16).await.unwrap();
                    stream.write_all(&message).await.unwrap();
                }
            }
        });
        server
    }

    fn resolver(&self) -> Resolver {
        Resolver::new(vec![self.address], vec![]).with_try(Duration::from_millis(150))
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

fn answer(reply: Reply, question: &[u8], over_tcp: bool) -> Vec<Vec<u8>> {
    let packet = Packet::parse(question).unwrap();
    let [asked] = &packet.questions[..] else { panic!("{packet:?}") };
    let QTYPE::TYPE(kind) = asked.qtype else { panic!("{packet:?}") };
    reply(&asked.qname.to_string(), kind, over_tcp, question)
}

/// An answer with a code and records: owner, data.
fn say(question: &[u8], code: RCODE, records: &[(&str, RData)]) -> Vec<u8> {
    let asked = Packet::parse(question).unwrap();
    let mut packet = Packet::new_reply(asked.id());
    packet.set_flags(PacketFlag::RECURSION_AVAILABLE);
    packet.questions = asked.questions;
    *packet.rcode_mut() = code;
    for (owner, data) in records {
        let record = ResourceRecord::new(Name::new(owner).unwrap(), CLASS::IN, 60, data.clone());
        let section = match data {
            RData::SOA(_) => &mut packet.name_servers,
            _ => &mut packet.answers,
        };
        section.push(record);
    }
    packet.build_bytes_vec_compressed().unwrap()
}

fn alias(to: &'static str) -> RData<'static> {
    RData::CNAME(CNAME(Name::new(to).unwrap()))
}

fn v4(last: u8) -> RData<'static> {
    RData::A(A { address: u32::from_be_bytes([192, 0, 2, last]) })
}

fn soa() -> RData<'static> {
    let name = Name::new("example.org").unwrap();
    let numbers = (1, 2, 3, 4, 5);
    RData::SOA(SOA {
        mname: name.clone(),
        rname: name,
        serial: numbers.0,
        refresh: numbers.1,
        retry: numbers.2,
        expire: numbers.3,
        minimum: numbers.4,
    })
}

fn address(last: u8) -> Record {
    Record::Address(IpAddr::from([192, 0, 2, last]))
}

/// Most cases, by the first label of the name.
fn zone(name: &str, kind: TYPE, over_tcp: bool, question: &[u8]) -> Vec<Vec<u8>> {
    use RCODE::{NameError, NoError, Refused, ServerFailure};
    let ok = |records: &[(&str, RData)]| vec![say(question, NoError, records)];
    match (name.split('.').next().unwrap(), kind) {
        ("host", TYPE::A) => ok(&[(name, v4(1)), (name, v4(2)), ("other.example.org", v4(3))]),
        ("host", TYPE::AAAA) => ok(&[(name, RData::AAAA(AAAA { address: 0x2001_0db8 << 96 | 1 }))]),
        ("host", TYPE::MX) => ok(&[
            (
                name,
                RData::MX(MX { preference: 10, exchange: Name::new("MAIL.example.org").unwrap() }),
            ),
            (name, RData::MX(MX { preference: 0, exchange: Name::new("").unwrap() })),
        ]),
        ("_imaps", TYPE::SRV) => ok(&[(
            name,
            RData::SRV(SRV {
                priority: 1,
                weight: 2,
                port: 993,
                target: Name::new("i.org").unwrap(),
            }),
        )]),
        ("host", TYPE::TXT) => {
            let mut parts = TXT::new();
            parts.add_string("v=UAAC1;").unwrap();
            parts.add_string("a=\u{e9}").unwrap();
            ok(&[(name, RData::TXT(parts))])
        }
        ("host", _) => ok(&[("example.org", soa())]),
        ("alias", _) => ok(&[
            (name, alias("One.example.org")),
            ("one.example.org", alias("two.example.org")),
            ("two.example.org", v4(7)),
        ]),
        ("dangling", _) => {
            vec![say(question, NameError, &[(name, alias("gone.example.org")), ("org", soa())])]
        }
        ("bare", _) => ok(&[(name, alias("one.example.org")), ("example.org", soa())]),
        ("half", _) => ok(&[(name, alias("host.example.org"))]),
        ("circle", _) => ok(&[(name, alias("round.example.org"))]),
        ("round", _) => ok(&[(name, alias("circle.example.org"))]),
        ("self", _) => ok(&[(name, alias("self.example.org"))]),
        (number, _) if number.parse::<u32>().is_ok() => {
            let next = format!("{}.example.org", number.parse::<u32>().unwrap() + 1);
            ok(&[(name, RData::CNAME(CNAME(Name::new(&next).unwrap())))])
        }
        ("broken", _) => vec![say(question, ServerFailure, &[])],
        ("refused", _) => vec![say(question, Refused, &[])],
        ("silent", _) => vec![],
        ("lies", _) => ok(&[("other.example.org", v4(6)), ("example.org", soa())]),
        ("referral", _) => {
            let mut message = say(question, NoError, &[]);
            message[3] &= 0x7f;
            vec![message]
        }
        ("late", _) => {
            let mut forged = say(question, NoError, &[(name, v4(66))]);
            forged[0] ^= 1;
            let mut other = question.to_vec();
            other[13] ^= 1;
            let other = say(&other, NoError, &[(name, v4(66))]);
            vec![forged, other, say(question, NoError, &[(name, v4(1))])]
        }
        ("garbage", _) => vec![[&question[..2], b"\x80\0 SSH-2.0"].concat()],
        ("loop", _) => {
            // The owner of the record is a pointer to itself.
            let mut message = say(question, NoError, &[]);
            message[7] = 1;
            let here = message.len() as u8;
            message.extend([0xc0, here, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
            vec![message]
        }
        ("counts", _) => {
            let mut message = say(question, NoError, &[(name, v4(1))]);
            message[4..12].fill(0xff);
            vec![message]
        }
        ("many", _) if over_tcp => {
            let records: Vec<_> = (0..200).map(|last| (name, v4(last))).collect();
            ok(&records)
        }
        ("many" | "cut", _) if !over_tcp => {
            let mut message = say(question, NoError, &[]);
            message[2] |= 2;
            vec![message]
        }
        // Over TCP, it closes.
        ("cut", _) => vec![],
        _ => vec![say(question, NameError, &[("example.org", soa())])],
    }
}

async fn ask(label: &str, kind: Kind) -> Answer {
    let server = Server::start(zone).await;
    server.resolver().ask(&format!("{label}.example.org"), kind).await
}

async fn outcome(label: &str) -> Outcome {
    ask(label, Kind::A).await.outcome
}

#[tokio::test]
async fn records_of_each_kind_are_read() {
    let server = Server::start(zone).await;
    let resolver = server.resolver();
    let ask = async |name: &str, kind| resolver.ask(name, kind).await.to_string();
    assert_eq!(ask("Host.example.org.", Kind::A).await, "A host.example.org: 192.0.2.1, 192.0.2.2");
    assert_eq!(ask("host.example.org", Kind::Aaaa).await, "AAAA host.example.org: 2001:db8::1");
    let mx = "MX host.example.org: 10 mail.example.org., 0 .";
    assert_eq!(ask("host.example.org", Kind::Mx).await, mx);
    let srv = "SRV _imaps._tcp.example.org: 1 2 993 i.org.";
    assert_eq!(ask("_imaps._tcp.example.org", Kind::Srv).await, srv);
    let txt = "TXT host.example.org: \"v=UAAC1;a=\u{e9}\"";
    assert_eq!(ask("host.example.org", Kind::Txt).await, txt);
    let names: Vec<_> = resolver.asked().into_iter().map(|answer| answer.kind).collect();
    assert_eq!(names, [Kind::A, Kind::Aaaa, Kind::Mx, Kind::Srv, Kind::Txt]);
}

#[tokio::test]
async fn what_is_missing_is_told_apart() {
    assert_eq!(ask("host", Kind::Srv).await.outcome, Outcome::NoData);
    assert_eq!(outcome("nobody").await, Outcome::NoName);
    assert_eq!(outcome("broken").await, Outcome::Failed("SERVFAIL".into()));
    assert_eq!(outcome("refused").await, Outcome::Failed("REFUSED".into()));
    assert!(matches!(outcome("referral").await, Outcome::Failed(_)));
    assert_eq!(outcome("silent").await, Outcome::TimedOut);
    assert_eq!(outcome("lies").await, Outcome::NoData);
    let long = Resolver::new(vec![], vec![]).ask(&"a".repeat(64), Kind::A).await.outcome;
    assert_eq!(long, Outcome::TimedOut, "there is no server");
    assert!(matches!(outcome(&"a".repeat(64)).await, Outcome::Unreadable(_)));
    assert!(matches!(outcome("a..b").await, Outcome::Unreadable(_)));
}

#[tokio::test]
async fn aliases_are_followed_and_kept() {
    let answer = ask("alias", Kind::A).await;
    assert_eq!(answer.aliases, ["one.example.org", "two.example.org"]);
    assert_eq!(answer.records(), [address(7)]);

    let answer = ask("half", Kind::A).await;
    assert_eq!(answer.aliases, ["host.example.org"]);
    assert_eq!(answer.records(), [address(1), address(2)]);

    let answer = ask("dangling", Kind::A).await;
    let there = vec!["gone.example.org".to_owned()];
    assert_eq!((answer.aliases, answer.outcome), (there, Outcome::NoName));

    let answer = ask("bare", Kind::A).await;
    let there = vec!["one.example.org".to_owned()];
    assert_eq!((answer.aliases, answer.outcome), (there, Outcome::NoData));
}

#[tokio::test]
async fn aliases_in_a_circle_or_without_end_are_not_followed() {
    let circle = Outcome::Unreadable("the CNAME records lead in a circle".into());
    assert_eq!(outcome("circle").await, circle);
    assert_eq!(outcome("self").await, circle);
    let answer = ask("1", Kind::A).await;
    assert_eq!(answer.aliases.len(), 8);
    assert!(matches!(answer.outcome, Outcome::Unreadable(_)), "{answer}");
}

#[tokio::test]
async fn answers_to_other_questions_are_passed_over() {
    assert_eq!(outcome("late").await, Outcome::Records(vec![address(1)]));
}

#[tokio::test]
async fn an_answer_from_another_address_is_not_believed() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let resolver = Resolver::new(vec![silent.local_addr().unwrap()], vec![])
        .with_try(Duration::from_millis(100));
    tokio::spawn(async move {
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut buffer = [0; 512];
        loop {
            let (length, from) = silent.recv_from(&mut buffer).await.unwrap();
            let answer = say(&buffer[..length], RCODE::NoError, &[("host", v4(66))]);
            other.send_to(&answer, from).await.unwrap();
        }
    });
    assert_eq!(resolver.ask("host", Kind::A).await.outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn unreadable_answers_are_reported() {
    for label in ["garbage", "loop", "counts", "cut"] {
        let outcome = outcome(label).await;
        assert!(matches!(outcome, Outcome::Unreadable(_)), "{label}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_over_tcp_and_bounded() {
    let answer = ask("many", Kind::A).await;
    assert_eq!(answer.records().len(), 64);
}

#[tokio::test]
async fn equal_questions_are_asked_once() {
    let server = Server::start(zone).await;
    let resolver = server.resolver();
    let (first, second) = tokio::join!(
        resolver.ask("host.example.org", Kind::A),
        resolver.ask("HOST.example.org.", Kind::A)
    );
    assert_eq!(first, second);
    assert_eq!(resolver.ask("host.example.org", Kind::A).await, first);
    assert_eq!((server.questions(), resolver.asked()), (1, vec![first]));
}

#[tokio::test]
async fn the_next_server_is_asked() {
    let good =
        Server::start(|name, _, _, question| vec![say(question, RCODE::NoError, &[(name, v4(9))])]);
    let (bad, good) = (Server::start(zone).await, good.await);
    // Nothing listens on the first one.
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for label in ["broken", "refused", "silent", "garbage"] {
        let resolver = Resolver::new(vec![closed, bad.address, good.address], vec![])
            .with_try(Duration::from_millis(100));
        let answer = resolver.ask(&format!("{label}.example.org"), Kind::A).await;
        assert_eq!(answer.records(), [address(9)], "{label}");
    }
    assert_eq!(bad.questions(), 5, "the silent one is asked twice");
}

#[tokio::test]
async fn a_server_without_edns_is_asked_again() {
    let old = Server::start(|name, _, _, question| match Packet::parse(question).unwrap().opt() {
        Some(_) => vec![say(question, RCODE::FormatError, &[])],
        None => vec![say(question, RCODE::NoError, &[(name, v4(5))])],
    });
    let answer = old.await.resolver().ask("example.org", Kind::A).await;
    assert_eq!(answer.records(), [address(5)]);
}

#[tokio::test]
async fn the_deadline_ends_all_questions() {
    let server = Server::start(zone).await;
    let resolver = Resolver::new(vec![server.address; 3], vec![]);
    resolver.set_deadline(Instant::now() + Duration::from_millis(50));
    let start = Instant::now();
    assert_eq!(resolver.ask("silent.example.org", Kind::A).await.outcome, Outcome::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn addresses_are_those_of_both_families() {
    let server = Server::start(zone).await;
    let resolver = server.resolver();
    let both = Families { v4: true, v6: true };
    let found = resolver.addresses("host.example.org", both).await;
    let list: Vec<_> = found.list.iter().map(ToString::to_string).collect();
    assert_eq!(list, ["2001:db8::1", "192.0.2.1", "192.0.2.2"]);
    assert_eq!(found.answers.len(), 2);
    let only = Families { v6: false, ..both };
    assert_eq!(resolver.addresses("host.example.org", only).await.answers.len(), 1);
    for (literal, there) in [("192.0.2.8", "192.0.2.8"), ("[2001:db8::8]", "2001:db8::8")] {
        let found = resolver.addresses(literal, both).await;
        assert_eq!((found.list, found.answers), (vec![there.parse().unwrap()], vec![]));
    }
}

#[tokio::test]
async fn overrides_are_not_asked_for() {
    let server = Server::start(zone).await;
    let there: IpAddr = "192.0.2.77".parse().unwrap();
    let resolver = Resolver::new(vec![server.address], vec![("WWW.example.org".into(), there)]);
    let found = resolver.addresses("www.example.org", Families { v4: true, v6: true }).await;
    assert_eq!(found.list, [there]);
    let outcomes = found.answers.into_iter().map(|answer| answer.outcome);
    let records = Outcome::Records(vec![address(77)]);
    assert_eq!(outcomes.collect::<Vec<_>>(), [Outcome::NoData, records]);
    assert_eq!((server.questions(), resolver.asked()), (0, vec![]));
    assert_eq!(resolver.ask("www.example.org", Kind::Txt).await.outcome, Outcome::NoName);
}

#[test]
fn the_servers_of_the_system_are_read() {
    let text = "# nameserver 192.0.2.1\nsearch example.org\nnameserver 192.0.2.2\n\
                nameserver\t2001:db8::1 # ours\nnameserver none\nnameserver 1.1.1.1\nnameserver 9.9.9.9";
    let servers: Vec<_> = servers_of(text).iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["192.0.2.2:53", "[2001:db8::1]:53", "1.1.1.1:53"]);
    assert_eq!(servers_of(""), ["127.0.0.1:53".parse().unwrap()]);
}

#[test]
fn names_with_other_octets_are_visible() {
    let mut question = Packet::new_query(7);
    question.questions.push(simple_dns::Question::new(
        Name::new("example.org").unwrap(),
        QTYPE::TYPE(TYPE::MX),
        simple_dns::QCLASS::CLASS(CLASS::IN),
        false,
    ));
    let question = question.build_bytes_vec().unwrap();
    let exchange = Name::new_unchecked("a\u{1b}b.c d.org");
    let record = RData::MX(MX { preference: 1, exchange });
    let message = say(&question, RCODE::NoError, &[("example.org", record)]);
    let host = "a\\027b.c\\032d.org".to_owned();
    let records = Outcome::Records(vec![Record::Mx { preference: 1, host }]);
    assert_eq!(read(&message, "example.org", Kind::Mx), Reading::Ends(vec![], records));
    assert_eq!(read(&message, "example.com", Kind::Mx), Reading::Other);
    assert_eq!(read(&message, "example.org", Kind::A), Reading::Other);
    assert_eq!(read(&question, "example.org", Kind::Mx), Reading::Other);
}
