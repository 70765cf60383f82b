//! Mail servers that follow a script: what no real one can be configured to say.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslStream};

use crate::certificates::KEY;

/// What a server says.
pub struct Script {
    pub address: &'static str,
    pub port: u16,
    /// TLS from the first byte.
    pub is_tls: bool,
    pub greeting: &'static str,
    /// A command in upper case, without its tag, and the response; `%t` is the tag. Others get
    /// `unknown`.
    pub responses: &'static [(&'static str, &'static str)],
    /// The same after STARTTLS.
    pub after_tls: &'static [(&'static str, &'static str)],
    /// What is sent with the response to STARTTLS, in the same packet.
    pub injected: &'static str,
}

/// Starts the servers on threads that end with the program.
pub fn start(scripts: &'static [Script], certificate: &Path) {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("TLS");
    acceptor.set_certificate_chain_file(certificate).expect("a certificate");
    acceptor.set_private_key_file(KEY, SslFiletype::PEM).expect("a key");
    let acceptor = Arc::new(acceptor.build());
    for script in scripts {
        let listener = TcpListener::bind((script.address, script.port)).expect("a listener");
        let acceptor = acceptor.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let acceptor = acceptor.clone();
                thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                    let _ = serve(script, &acceptor, stream);
                });
            }
        });
    }
}

fn serve(script: &Script, acceptor: &SslAcceptor, stream: TcpStream) -> Option<()> {
    if script.is_tls {
        let mut stream = acceptor.accept(stream).ok()?;
        stream.write_all(script.greeting.as_bytes()).ok()?;
        return talk(&mut stream, script, script.responses).then_some(());
    }
    let mut stream = stream;
    stream.write_all(script.greeting.as_bytes()).ok()?;
    if talk(&mut stream, script, script.responses) {
        let mut stream: SslStream<TcpStream> = acceptor.accept(stream).ok()?;
        talk(&mut stream, script, script.after_tls);
    }
    Some(())
}

/// Talks until the end or until STARTTLS; true for the latter.
fn talk(stream: &mut (impl Read + Write), script: &Script, responses: &[(&str, &str)]) -> bool {
    loop {
        let mut line = Vec::new();
        // One byte after the other: what follows STARTTLS belongs to TLS.
        let mut byte = [0];
        while !line.ends_with(b"\n") {
            match stream.read(&mut byte) {
                Ok(1) if line.len() < 1000 => line.push(byte[0]),
                _ => return false,
            }
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        let (tag, command) = match line.split_once(' ') {
            Some((tag, command)) if script.greeting.starts_with("* ") => (tag, command),
            _ => ("", &*line),
        };
        let command = command.to_ascii_uppercase();
        let starttls = command == "STARTTLS" || command == "STLS";
        let known = responses.iter().find(|(known, _)| command.starts_with(known));
        let response = known.map_or("%t BAD unknown\r\n", |(_, response)| response);
        let mut response = response.replace("%t", tag);
        if starttls {
            response.push_str(script.injected);
        }
        if stream.write_all(response.as_bytes()).is_err() {
            return false;
        }
        if starttls && known.is_some() {
            return true;
        }
    }
}

/// A server that sends bytes of its choice to everybody, again and again or slowly.
pub fn noise(address: &'static str, port: u16, send: fn(&mut TcpStream) -> std::io::Result<()>) {
    let listener = TcpListener::bind((address, port)).expect("a listener");
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.set_write_timeout(Some(Duration::from_secs(60)));
                let _ = send(&mut stream);
            });
        }
    });
}

/// Reads a request of HTTP up to its blank line.
pub fn read_request(stream: &mut TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
        line.clear();
    }
}

const IMAP: [(&str, &str); 0] = [];

/// The servers of all worlds.
pub static SCRIPTS: &[Script] = &[
    // Bytes after the response to STARTTLS, in the clear.
    Script {
        address: "192.0.2.30",
        port: 143,
        is_tls: false,
        greeting: "* OK ready\r\n",
        responses: &[
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n%t OK done\r\n"),
            ("STARTTLS", "%t OK begin\r\n"),
            ("LOGOUT", "* BYE bye\r\n%t OK done\r\n"),
        ],
        after_tls: IMAP_AFTER,
        injected: "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
    },
    Script {
        address: "192.0.2.30",
        port: 587,
        is_tls: false,
        greeting: "220 smtp.example.org ESMTP\r\n",
        responses: &[
            ("EHLO", "250-smtp.example.org\r\n250 STARTTLS\r\n"),
            ("STARTTLS", "220 go on\r\n"),
            ("QUIT", "221 bye\r\n"),
        ],
        after_tls: SMTP_AFTER,
        injected: "250-smtp.example.org\r\n250 AUTH PLAIN\r\n",
    },
    // The greeting is an error.
    Script { address: "192.0.2.31", port: 993, greeting: "* BYE too many connections\r\n", ..TLS },
    Script { address: "192.0.2.31", port: 465, greeting: "554 no service\r\n", ..TLS },
    // No login by password, also inside TLS.
    Script {
        address: "192.0.2.32",
        port: 993,
        greeting: "* OK ready\r\n",
        responses: &[
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n%t OK done\r\n"),
            ("LOGOUT", "* BYE bye\r\n%t OK done\r\n"),
        ],
        ..TLS
    },
    // Only a mechanism that no document names.
    Script {
        address: "192.0.2.33",
        port: 993,
        greeting: "* OK ready\r\n",
        responses: &[
            (
                "CAPABILITY",
                "* CAPABILITY IMAP4rev1 SASL-IR AUTH=GSSAPI LOGINDISABLED\r\n%t OK done\r\n",
            ),
            ("LOGOUT", "* BYE bye\r\n%t OK done\r\n"),
        ],
        ..TLS
    },
    // Another protocol on the port.
    Script { address: "192.0.2.34", port: 993, greeting: "220 smtp.example.org ESMTP\r\n", ..TLS },
];

const TLS: Script = Script {
    address: "",
    port: 0,
    is_tls: true,
    greeting: "",
    responses: &IMAP,
    after_tls: &IMAP,
    injected: "",
};

const IMAP_AFTER: &[(&str, &str)] = &[
    ("CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN\r\n%t OK done\r\n"),
    ("LOGOUT", "* BYE bye\r\n%t OK done\r\n"),
];

const SMTP_AFTER: &[(&str, &str)] = &[
    ("EHLO", "250-smtp.example.org\r\n250 AUTH PLAIN LOGIN\r\n"),
    ("MAIL", "530 5.7.0 authentication required\r\n"),
    ("QUIT", "221 bye\r\n"),
];
