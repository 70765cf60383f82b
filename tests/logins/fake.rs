//! Servers with a Unix socket that know logins, or fail in every way that a server can.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The protocol of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speaks {
    Socketmap,
    Userdb,
}

pub const BOTH: [Speaks; 2] = [Speaks::Socketmap, Speaks::Userdb];

impl Speaks {
    /// The line of the configuration for a socket.
    pub fn line(self, socket: &Path) -> String {
        match self {
            Speaks::Socketmap => format!("socketmap = 'unix:{}:logins'\n", socket.display()),
            Speaks::Userdb => format!("userdb = '{}'\n", socket.display()),
        }
    }

    /// What the server says first.
    fn greeting(self) -> &'static str {
        match self {
            Speaks::Socketmap => "",
            Speaks::Userdb => "VERSION\t1\t1\nSPID\t7\n",
        }
    }

    /// The reply to the request with this id.
    pub fn reply(self, id: &str, login: Option<&str>) -> Vec<u8> {
        match (self, login) {
            (Speaks::Socketmap, Some(login)) => netstring(&format!("OK {login}")),
            (Speaks::Socketmap, None) => netstring("NOTFOUND "),
            (Speaks::Userdb, Some(login)) => {
                format!("USER\t{id}\t{login}\tuid=1000\tgid=1000\thome=/home/x\n").into_bytes()
            }
            (Speaks::Userdb, None) => format!("NOTFOUND\t{id}\n").into_bytes(),
        }
    }

    /// The id and the address of the first complete request, and its length.
    fn request(self, received: &[u8]) -> Option<(String, String, usize)> {
        let text = std::str::from_utf8(received).expect("text");
        match self {
            Speaks::Socketmap => {
                let (digits, rest) = text.split_once(':')?;
                let length: usize = digits.parse().expect("a length");
                let request = rest.get(..length)?;
                assert_eq!(rest.get(length..=length)?, ",");
                let address = request.strip_prefix("logins ").expect("the name of the map");
                Some((String::new(), address.to_owned(), digits.len() + length + 2))
            }
            Speaks::Userdb => {
                let mut length = 0;
                for line in text.split_inclusive('\n') {
                    length += line.len();
                    let line = line.strip_suffix('\n')?;
                    let fields: Vec<_> = line.split('\t').collect();
                    match fields[..] {
                        ["VERSION", "1", "1"] => {}
                        ["USER", id, address, "service=imap"] => {
                            return Some((id.to_owned(), address.to_owned(), length));
                        }
                        _ => panic!("a line that may not be sent: {line:?}"),
                    }
                }
                None
            }
        }
    }
}

pub fn netstring(text: &str) -> Vec<u8> {
    format!("{}:{text},", text.len()).into_bytes()
}

/// What a server does about a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// The login, or that there is none.
    Knows(Option<String>),
    /// Any bytes; `ID` in them is the id of the request.
    Says(Vec<u8>),
    /// The same a byte at a time.
    Dribbles(Vec<u8>),
    /// The same again and again.
    Repeats(Vec<u8>),
    /// It waits, and then does something.
    Later(Duration, Box<Act>),
    /// It does something, and closes the connection.
    Last(Box<Act>),
    /// Nothing.
    Hangs,
    /// It closes the connection.
    Closes,
}

/// The usual server: it knows logins of addresses whose local part begins with `a`.
pub fn knows(address: &str) -> Act {
    let local = address.split('@').next().expect("a local part");
    Act::Knows(local.starts_with('a').then(|| format!("login-of-{local}")))
}

/// A running server.
pub struct Fake {
    socket: PathBuf,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_stopped: AtomicBool,
    connections: AtomicUsize,
    open: Mutex<BTreeMap<usize, UnixStream>>,
    asked: Mutex<Vec<String>>,
}

impl Fake {
    /// Starts a server; `act` is called with each address.
    pub fn start(
        socket: &Path,
        speaks: Speaks,
        act: impl Fn(&str) -> Act + Send + Sync + 'static,
    ) -> Fake {
        let listener = UnixListener::bind(socket).expect("a socket");
        let state = Arc::new(State::default());
        let (shared, act) = (state.clone(), Arc::new(act));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.expect("a connection");
                let (shared, act) = (shared.clone(), act.clone());
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let other = stream.try_clone().expect("dup");
                shared.open.lock().expect("a lock").insert(number, other);
                thread::spawn(move || {
                    serve(stream, speaks, &shared, &*act);
                    shared.open.lock().expect("a lock").remove(&number);
                });
            }
        });
        Fake { socket: socket.to_owned(), state }
    }

    /// The addresses that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.state.asked.lock().expect("a lock").clone()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::SeqCst);
        // Ends `accept`.
        let _ = UnixStream::connect(&self.socket);
        let _ = fs::remove_file(&self.socket);
        for stream in self.state.open.lock().expect("a lock").values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(mut stream: UnixStream, speaks: Speaks, state: &State, act: &dyn Fn(&str) -> Act) {
    // The other side may close the connection at any time.
    if stream.write_all(speaks.greeting().as_bytes()).is_err() {
        return;
    }
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        while let Some((id, address, length)) = speaks.request(&received) {
            received.drain(..length);
            state.asked.lock().expect("a lock").push(address.clone());
            if !run(&act(&address), &mut stream, speaks, &id) {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        }
        match stream.read(&mut buffer) {
            Ok(length) if length > 0 => received.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
}

/// False if the connection is closed.
fn run(act: &Act, stream: &mut UnixStream, speaks: Speaks, id: &str) -> bool {
    let with_id = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.replace("ID", id).into_bytes(),
        Err(_) => bytes.to_vec(),
    };
    match act {
        Act::Knows(login) => stream.write_all(&speaks.reply(id, login.as_deref())).is_ok(),
        Act::Says(bytes) => stream.write_all(&with_id(bytes)).is_ok(),
        Act::Dribbles(bytes) => with_id(bytes).chunks(1).all(|byte| {
            thread::sleep(Duration::from_millis(1));
            stream.write_all(byte).is_ok()
        }),
        Act::Repeats(bytes) => {
            while stream.write_all(bytes).is_ok() {}
            false
        }
        Act::Later(pause, act) => {
            thread::sleep(*pause);
            run(act, stream, speaks, id)
        }
        Act::Last(act) => {
            run(act, stream, speaks, id);
            false
        }
        // Until the other side closes the connection.
        Act::Hangs => {
            let _ = stream.read(&mut [0]);
            false
        }
        Act::Closes => false,
    }
}
