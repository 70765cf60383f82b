//! Common parts of the tests: the program under test, directories and processes that are removed
//! after the test, and clients that send requests like a web server or a mail client.

#![allow(dead_code, reason = "each topic uses a part of this")]

pub mod cgi;
pub mod fcgi;
pub mod http;
pub mod names;
pub mod namespace;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a process may take to become ready, or to end when asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two checks of a condition.
const POLL: Duration = Duration::from_millis(5);

/// The program under test: `MAILSETUP_TEST_PROGRAM` if set (an installed one), else the one that
/// cargo built for this test; in the tests of mailsetup-probe, the one that was built beside it.
pub fn program() -> PathBuf {
    let installed = std::env::var_os("MAILSETUP_TEST_PROGRAM").map(PathBuf::from);
    let built = option_env!("CARGO_BIN_EXE_mailsetup").map(PathBuf::from);
    installed.or(built).unwrap_or_else(|| {
        let probe = option_env!("CARGO_BIN_EXE_mailsetup-probe");
        let beside = Path::new(probe.unwrap_or_default()).with_file_name("mailsetup");
        assert!(beside.exists(), "build {} first: cargo build", beside.display());
        beside
    })
}

/// Copies a program to `to`, to be started there. A child process does this: a copy that this
/// process has open for writing would be inherited by a process that another test starts at that
/// moment, and could not be run (`ETXTBSY`).
pub fn copy_program(from: impl AsRef<Path>, to: &Path) {
    let status = Command::new("cp").arg(from.as_ref()).arg(to).status().expect("cp");
    assert!(status.success(), "copy of {} to {}", from.as_ref().display(), to.display());
}

/// Writes a program or a script to `to`, to be started there: by a child process, for the same reason.
pub fn write_program(to: &Path, content: impl AsRef<[u8]>) {
    let mut command = Command::new("sh");
    command.args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"]).arg(to);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("sh");
    child.stdin.take().expect("a pipe").write_all(content.as_ref()).expect("write");
    let status = child.wait().expect("sh");
    assert!(status.success(), "{}: not written", to.display());
}

/// A file of the source tree, for example `contrib/nginx/mailsetup.conf`.
pub fn source(path: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if package.ends_with("probe") { package.parent() } else { None };
    root.unwrap_or(package).join(path)
}

/// The pages of documentation with their paths below the source: Markdown at the top, in `docs` and
/// in `contrib`.
pub fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for folder in ["", "docs", "contrib"] {
        let entries = fs::read_dir(source(folder)).expect("a folder");
        for path in entries.map(|entry| entry.expect("directory entry").path()) {
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).expect("a page");
                let path = path.strip_prefix(source("")).expect("below the source").display();
                pages.push((path.to_string(), text));
            }
        }
    }
    pages.sort();
    assert!(pages.len() > 15, "{} pages", pages.len());
    pages
}

/// A free TCP port on 127.0.0.1.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Calls `ready` until it returns true; false if it did not in time.
pub fn wait_until(mut ready: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !ready() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(POLL);
    }
    true
}

/// Waits until the last change of a file is so old that it counts as settled.
pub fn wait_until_settled(file: &Path) {
    let is_settled = || {
        let changed = fs::metadata(file).expect("a file").ctime();
        let changed = UNIX_EPOCH + Duration::from_secs(changed.unsigned_abs() + 1);
        changed.elapsed().is_ok_and(|age| age >= Duration::from_secs(2))
    };
    assert!(wait_until(is_settled), "{} stays young", file.display());
}

//------------ Sandbox -------------------------------------------------------

/// A directory for one test, removed with its contents at the end.
pub struct Sandbox {
    path: PathBuf,
}

impl Sandbox {
    /// Creates the directory; other users may enter it, since web servers drop root privileges.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mailsetup-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
        Self { path }
    }

    /// The path of `name` in the directory, existing or not.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, with the directories it needs, and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        write(&path, content);
        path
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Writes a file and creates the directories it needs.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    let parent = path.parent().expect("a file has a directory");
    fs::create_dir_all(parent).unwrap_or_else(|err| panic!("{}: {err}", parent.display()));
    // A new file, since an existing one may belong to another user.
    let _ = fs::remove_file(path);
    fs::write(path, content).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
}

//------------ Process -------------------------------------------------------

/// A running program, ended and reaped when this value is dropped.
pub struct Process {
    child: Child,
    name: String,
    output: PathBuf,
}

impl Process {
    /// Starts `command` with its output in a file of `sandbox`, in a new process group.
    pub fn start(sandbox: &Sandbox, command: &mut Command) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = command.get_program().to_string_lossy().into_owned();
        let output = sandbox.path(&format!("output-{count}"));
        let file = fs::File::create(&output).expect("output file");
        let child = command
            .stdout(file.try_clone().expect("dup"))
            .stderr(file)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|err| panic!("{name}: {err}; {}", install_hint(&name)));
        Self { child, name, output }
    }

    /// Waits until `ready` returns true; panics with the output of the program if it ends before.
    pub fn wait_until(mut self, mut ready: impl FnMut() -> bool) -> Self {
        let mut ended = None;
        let in_time = wait_until(|| {
            ended = self.child.try_wait().expect("wait");
            ended.is_some() || ready()
        });
        if let Some(status) = ended {
            panic!("{} ended with {status}:\n{}", self.name, self.output());
        }
        assert!(in_time, "{} is not ready in time:\n{}", self.name, self.output());
        self
    }

    /// The output of the program so far, of both streams.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the program to end by itself and returns its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let mut ended = None;
        wait_until(|| {
            ended = self.child.try_wait().expect("wait");
            ended.is_some()
        });
        ended.and_then(|status| status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("pid"));
        let _ = kill(pid, Signal::SIGTERM);
        if !wait_until(|| !matches!(self.child.try_wait(), Ok(None))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A command without the environment of the test run.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    command
}

/// The arguments that start `program` with the restrictions of the shipped unit: tests/confined.py.
pub fn confined(program: &Path) -> [std::ffi::OsString; 4] {
    confined_by("contrib/systemd/mailsetup.service", program)
}

/// The same with the restrictions of another unit.
pub fn confined_by(unit: &str, program: &Path) -> [std::ffi::OsString; 4] {
    let unit = source(unit);
    ["/usr/bin/python3".into(), source("tests/confined.py").into(), unit.into(), program.into()]
}

/// Runs a helper program to its end; panics with its output unless it succeeds.
pub fn run(command: &mut Command) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().unwrap_or_else(|err| panic!("{name}: {err}; {}", install_hint(&name)));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{name}: {}\n{text}", output.status);
    text
}

/// The package of a missing program, from tests/install-*.sh.
pub fn install_hint(program: &str) -> String {
    for name in [
        "tests/install-tools.sh",
        "tests/install-probe.sh",
        "tests/install-clients.sh",
        "tests/install-dns.sh",
        "tests/install-logins.sh",
        "tests/install-tables.sh",
        "tests/install-takeover.sh",
        "tests/install-init.sh",
        "tests/install-bench.sh",
    ] {
        let script = fs::read_to_string(source(name)).unwrap_or_default();
        let package = script.lines().find_map(|line| {
            let (proof, package) = line.rsplit_once(':')?;
            (proof == program && !package.contains(' ')).then_some(package)
        });
        if let Some(package) = package {
            return format!("install {package}, or all of them: sh {name}");
        }
    }
    "is it installed?".to_owned()
}

/// A client that tests/install-clients.sh installs below the target directory.
pub fn client(name: &str) -> PathBuf {
    let clients = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    let script = fs::read_to_string(source("tests/install-clients.sh")).expect("the script");
    let versions = script.lines().filter_map(|line| line.split_once('='));
    let key = if name == "pim-discovery" { "pimalaya" } else { "deltachat" };
    let version = versions.into_iter().find_map(|(name, value)| (name == key).then_some(value));
    let path = clients.join(format!("{name}-{}", version.expect("a version")));
    assert!(path.exists(), "{} is missing: sh tests/install-clients.sh", path.display());
    path
}
