//! Signed profiles over FastCGI compared with bare signatures of OpenSSL, and the delay of other
//! requests during that.

use crate::Settings;
use crate::report::Report;

#[cfg(feature = "sign")]
pub use with_openssl::compare;

#[cfg(not(feature = "sign"))]
pub fn compare(_: &Settings, report: &mut Report) {
    report.part("Signing", "This build does not sign.");
}

#[cfg(feature = "sign")]
mod with_openssl {
    use super::{Report, Settings};
    use crate::common::http::Request;
    use crate::common::{Process, Sandbox, cgi, command, program, run};
    use crate::kept::{Connection, records};
    use crate::measure::cpu;
    use crate::places::{all, on};
    use crate::report::{Wanted, number};
    use crate::{DOMAIN, autoconfig, median, peers, percentile};
    use nix::sched::{CpuSet, sched_setaffinity};
    use nix::unistd::Pid;
    use openssl::cms::{CMSOptions, CmsContentInfo};
    use openssl::pkey::{PKey, Private};
    use openssl::stack::Stack;
    use openssl::x509::X509;
    use std::fs;
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    /// Connections that request profiles, each the next one as soon as it has a response.
    const ASKING: usize = 4;
    /// The CPU of the requesting threads.
    const ASKED_FROM: usize = 0;
    /// The pause between two other requests.
    const PAUSE: Duration = Duration::from_millis(3);

    pub fn compare(settings: &Settings, report: &mut Report) {
        let (one, all) = (&last().to_string(), &all());
        let rsa = ["rsa:2048"];
        let ecdsa = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
        let seen = [
            ("RSA 2048, one CPU", &rsa[..], one),
            ("RSA 2048, all CPUs", &rsa[..], all),
            ("ECDSA P-256, one CPU", &ecdsa[..], one),
            ("ECDSA P-256, all CPUs", &ecdsa[..], all),
        ]
        .map(|(name, key, cpus)| {
            eprintln!("signing: {name}");
            (name, Seen::with_key(settings, key, cpus))
        });

        let [(_, on_one), (_, on_all), ..] = &seen;
        let rsa = "RSA 2048, one CPU";
        let rate = median(on_one.rounds.iter().map(|round| round.served.rate / round.bare.rate));
        let what = format!("signed profiles/s, {rsa}: share of bare signatures/s");
        report.target(&what, Wanted::AtLeast(0.9), rate);
        // The same by CPU time, which depends less on other processes.
        let cpu = median(on_one.rounds.iter().map(|round| round.bare.cpu / round.served.cpu));
        let what = format!("CPU time of a bare signature, {rsa}: share of a signed profile's");
        report.target(&what, Wanted::AtLeast(0.9), cpu);
        let [quiet, busy] =
            [&on_all.quiet, &on_all.busy].map(|delays| median(delays.iter().copied()));
        let signature = 1e6 / on_all.middle(|round| round.bare.rate);
        report.target(
            "added delay of other requests while profiles are signed, median: multiple of a signature's time",
            Wanted::AtMost(1.0),
            (busy - quiet) / signature,
        );

        report.part(
            "Signing",
            &format!(
                "{ASKING} keepalive FastCGI connections request signed profiles from the service on CPU {one}, or on all. \
                 Bare signatures of the same profile with the same key are made on CPU {one} in turn with them, \
                 by one thread. One more connection requests autoconfig every {} ms: its delays in µs, while \
                 nothing is signed (quiet) and while the others send requests (busy). The clients are on CPU {ASKED_FROM}.",
                PAUSE.as_millis(),
            ),
        );
        let head = [
            "key, service",
            "bare signatures/s",
            "signed profiles/s",
            "CPU µs, bare",
            "CPU µs, profile",
            "quiet p50",
            "quiet p99",
            "busy p50",
            "busy p99",
        ];
        let rows = seen.map(|(name, seen)| {
            let delay = |delays: &[f64], percent| number(percentile(delays.to_owned(), percent));
            vec![
                name.to_owned(),
                number(seen.middle(|round| round.bare.rate)),
                number(seen.middle(|round| round.served.rate)),
                number(seen.middle(|round| round.bare.cpu)),
                number(seen.middle(|round| round.served.cpu)),
                delay(&seen.quiet, 50),
                delay(&seen.quiet, 99),
                delay(&seen.busy, 50),
                delay(&seen.busy, 99),
            ]
        });
        report.table(&head, &rows);
    }

    //------------ measurements ---------------------------------------------------

    /// The measurements with one key and one set of CPUs.
    struct Seen {
        rounds: Vec<Round>,
        /// Delays of other requests in microseconds, without and with signatures in progress.
        quiet: Vec<f64>,
        busy: Vec<f64>,
    }

    struct Round {
        bare: Speed,
        served: Speed,
    }

    /// How fast signatures were made.
    struct Speed {
        /// Signatures per second.
        rate: f64,
        /// CPU time of one signature in microseconds.
        cpu: f64,
    }

    impl Speed {
        /// Counts the signatures that `work` makes, and the CPU time that the process `id` needs
        /// for them.
        fn of<T>(id: u32, work: impl FnOnce() -> (u32, T)) -> (Self, T) {
            let (start, before) = (Instant::now(), cpu(&[id]));
            let (made, rest) = work();
            let made = f64::from(made);
            let rate = made / start.elapsed().as_secs_f64();
            let cpu = (cpu(&[id]) - before).as_secs_f64() * 1e6 / made;
            (Self { rate, cpu }, rest)
        }
    }

    impl Seen {
        fn with_key(settings: &Settings, key: &[&str], cpus: &str) -> Self {
            let sandbox = Sandbox::new();
            let [certificate, private] =
                ["crt", "key"].map(|end| sandbox.path(&format!("profile.{end}")));
            make_key(&certificate, &private, key);
            // Only profiles of named domains are signed.
            let config = format!(
                "[apple]\nsigning_certificate = 'profile.crt'\nsigning_key = 'profile.key'\n\
                 [domain.'{DOMAIN}']\n"
            );
            let config = sandbox.write("config.toml", config);
            let socket = sandbox.path("socket");
            let mut serve = on(cpus, program());
            peers::serve(&mut serve, &config, &socket);
            let service = Process::start(&sandbox, &mut serve)
                .wait_until(|| UnixStream::connect(&socket).is_ok());

            let mut document = command(program());
            let document =
                run(document.args(["show", &format!("ann@{DOMAIN}"), "--client", "apple"]));
            let bare = Bare::read(&certificate, &private, document.into_bytes());

            let asking = Asking { socket: &socket, time: settings.round / 3 };
            let mut seen = Self { rounds: Vec::new(), quiet: Vec::new(), busy: Vec::new() };
            for _ in 0..settings.rounds {
                seen.quiet.extend(asking.delays());
                let bare = bare.speed(asking.time);
                let (served, delays) = asking.profiles(service.id());
                seen.rounds.push(Round { bare, served });
                seen.busy.extend(delays);
            }
            seen
        }

        fn middle(&self, what: impl Fn(&Round) -> f64) -> f64 {
            median(self.rounds.iter().map(what))
        }
    }

    /// A self-signed certificate with its key.
    fn make_key(certificate: &Path, private: &Path, key: &[&str]) {
        let mut request = command("openssl");
        request.args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=mail.example.org",
            "-newkey",
        ]);
        run(request.args(key).arg("-keyout").arg(private).arg("-out").arg(certificate));
    }

    //------------ bare -----------------------------------------------------------

    /// The same OpenSSL calls as in mailsetup, and nothing else.
    struct Bare {
        certificate: X509,
        key: PKey<Private>,
        document: Vec<u8>,
    }

    impl Bare {
        fn read(certificate: &Path, key: &Path, document: Vec<u8>) -> Self {
            let read = |path| fs::read(path).expect("PEM");
            Self {
                certificate: X509::from_pem(&read(certificate)).expect("a certificate"),
                key: PKey::private_key_from_pem(&read(key)).expect("a key"),
                document,
            }
        }

        fn speed(&self, time: Duration) -> Speed {
            let sign = || {
                stay_on(last());
                let (start, mut made) = (Instant::now(), 0);
                while start.elapsed() < time {
                    self.sign();
                    made += 1;
                }
                (made, ())
            };
            // In a separate thread, since it stays on its CPU.
            let of_a_thread =
                || thread::scope(|scope| scope.spawn(sign).join().expect("signatures"));
            Speed::of(std::process::id(), of_a_thread).0
        }

        fn sign(&self) -> Vec<u8> {
            let chain = Stack::new().expect("memory");
            let options = CMSOptions::BINARY | CMSOptions::NOSMIMECAP;
            let (certificate, key) = (Some(&*self.certificate), Some(&*self.key));
            CmsContentInfo::sign(certificate, key, Some(&chain), Some(&self.document), options)
                .and_then(|cms| cms.to_der())
                .expect("a signature")
        }
    }

    //------------ served ---------------------------------------------------------

    /// The requesting threads: the socket and the duration.
    struct Asking<'a> {
        socket: &'a Path,
        time: Duration,
    }

    impl Asking<'_> {
        /// The speed of profiles, and the delays of other requests during that. `service` is the
        /// process of the service.
        fn profiles(&self, service: u32) -> (Speed, Vec<f64>) {
            let (stop, count) = (AtomicBool::new(false), AtomicU32::new(0));
            let all_ask = Barrier::new(ASKING + 1);
            thread::scope(|scope| {
                for _ in 0..ASKING {
                    scope.spawn(|| self.ask_for_profiles(&all_ask, &count, &stop));
                }
                all_ask.wait();
                let seen = Speed::of(service, || {
                    let before = count.load(Ordering::Relaxed);
                    let delays = self.delays();
                    (count.load(Ordering::Relaxed) - before, delays)
                });
                stop.store(true, Ordering::Relaxed);
                seen
            })
        }

        fn ask_for_profiles(&self, all_ask: &Barrier, count: &AtomicU32, stop: &AtomicBool) {
            stay_on(ASKED_FROM);
            let profile = Request::get(format!("/mobileconfig?emailaddress=ann@{DOMAIN}"))
                .host(format!("autoconfig.{DOMAIN}"));
            let profile = records(&profile);
            let mut connection = Connection::open(self.socket);
            let answer = connection.ask(&profile);
            let answer = cgi::parse(&answer, false).expect("a CGI answer");
            // DER begins with the tag of a SEQUENCE; an unsigned profile begins with `<`.
            assert!(answer.status == 200 && answer.body[0] == 0x30, "unsigned: {answer:?}");
            all_ask.wait();
            while !stop.load(Ordering::Relaxed) {
                connection.ask(&profile);
                count.fetch_add(1, Ordering::Relaxed);
            }
        }

        /// The delays of occasional autoconfig requests, in microseconds.
        fn delays(&self) -> Vec<f64> {
            let request = records(&autoconfig());
            let asking = || {
                stay_on(ASKED_FROM);
                let mut connection = Connection::open(self.socket);
                let (start, mut delays) = (Instant::now(), Vec::new());
                while start.elapsed() < self.time {
                    thread::sleep(PAUSE);
                    let asked = Instant::now();
                    connection.ask(&request);
                    delays.push(asked.elapsed().as_secs_f64() * 1e6);
                }
                delays
            };
            thread::scope(|scope| scope.spawn(asking).join().expect("delays"))
        }
    }

    /// The CPU of the service if it is bound to one, and of the bare signatures.
    fn last() -> usize {
        thread::available_parallelism().map_or(1, usize::from) - 1
    }

    /// Keeps the calling thread on one CPU.
    fn stay_on(cpu: usize) {
        let mut set = CpuSet::new();
        set.set(cpu).expect("a CPU");
        sched_setaffinity(Pid::from_raw(0), &set).expect("a CPU of this machine");
    }
}
