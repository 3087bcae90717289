//! A container with a real systemd as its first process, removed after its test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Serialises the machines: cores are few, and some tests measure times.
static ALONE: Mutex<()> = Mutex::new(());

/// Lock file that serialises the machines of all test runs on this computer.
const LOCK: &str = "/run/lock/gazetted-test";

/// Enters a control group of its own before it becomes another program. Two machines in one group would take each other's
/// processes for their own, and kill them.
const APART: &str = "for top in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
    [ -e $top/cgroup.procs ] && mkdir -p $top/$0 && echo $$ >$top/$0/cgroup.procs
done
exec \"$@\"";

/// Longest wait for anything. Reached only when a test fails.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Reports that a test is skipped because something is missing.
pub fn skip(want: &str) {
    assert!(std::env::var_os("GAZETTED_NO_SKIP").is_none(), "{want} is missing, and GAZETTED_NO_SKIP is set");
    eprintln!("SKIPPED: {want} is missing");
}

/// The root file system of a machine, and the packages to install.
pub struct Needs {
    pub root: PathBuf,
    pub package: PathBuf,
    /// The same package with a higher version.
    pub next: PathBuf,
}

impl Needs {
    /// Finds what the environment names; if anything is missing, the test is skipped, or fails if skipping is forbidden.
    pub fn find() -> Option<Self> {
        let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.exists());
        let has = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        let needs = || {
            if !rustix::process::geteuid().is_root() {
                return Err("the rights of root");
            }
            if !has("systemd-nspawn") || !has("nsenter") {
                return Err("systemd-nspawn");
            }
            Ok(Self {
                root: named("GAZETTED_ROOT_FILE_SYSTEM").ok_or("GAZETTED_ROOT_FILE_SYSTEM, made by debootstrap,")?,
                package: named("GAZETTED_PACKAGE").ok_or("GAZETTED_PACKAGE, made by .ci/package,")?,
                next: named("GAZETTED_PACKAGE_NEXT").ok_or("GAZETTED_PACKAGE_NEXT, made by .ci/package,")?,
            })
        };
        match needs() {
            Ok(needs) => Some(needs),
            Err(want) => {
                skip(want);
                None
            }
        }
    }
}

/// Process id, as seen from outside, of the child of a process that has the process id `inside` in its machine.
fn child(parent: u32, inside: &str) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().find_map(|child| {
        let status = std::fs::read_to_string(format!("/proc/{child}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("NSpid:"))?;
        (line.split_whitespace().next_back() == Some(inside)).then(|| child.parse().ok()).flatten()
    })
}

/// Name of the control groups of this test run.
fn group() -> String {
    format!("gazetted-test-{}", std::process::id())
}

/// A service that is held to the limits of its unit.
pub struct Limited(PathBuf);

impl Limited {
    /// Most memory that it has used since it was limited, in megabytes.
    pub fn peak(&self) -> u64 {
        let bytes = std::fs::read_to_string(self.0.join("memory.max_usage_in_bytes")).unwrap();
        bytes.trim().parse::<u64>().unwrap() >> 20
    }
}

/// A running machine.
pub struct Machine {
    nspawn: Child,
    /// Process id of its first process, as seen from outside.
    first: u32,
    disk: PathBuf,
    _folder: tempfile::TempDir,
    _lock: File,
    _alone: MutexGuard<'static, ()>,
}

fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Machine {
    /// Boots a machine, and waits until it is up.
    pub fn boot(root: &Path) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = File::create(LOCK).unwrap();
        lock.lock().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().to_owned();
        succeed(Command::new("mount").args(["-t", "tmpfs", "-o", "size=2g", "tmpfs"]).arg(&disk));
        for name in ["above", "work", "root"] {
            std::fs::create_dir(disk.join(name)).unwrap();
        }
        let layers = format!(
            "lowerdir={},upperdir={},workdir={}",
            root.display(),
            disk.join("above").display(),
            disk.join("work").display()
        );
        succeed(Command::new("mount").args(["-t", "overlay", "overlay", "-o", &layers]).arg(disk.join("root")));
        let mut command = Command::new("setpriv");
        // Halts the machine also if this process is killed.
        command.args(["--pdeathsig", "TERM", "sh", "-c", APART]);
        command.args([&group(), "systemd-nspawn"]);
        // A private network, in which every port is free. The filter of addresses needs permission to load programs into the
        // kernel. There is no registry of machines here.
        command.env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1").arg("--quiet").arg("--directory").arg(disk.join("root"));
        command.args(["--boot", "--machine=gazetted-test", "--register=no", "--keep-unit", "--private-network"]);
        command.args([
            "--capability=CAP_BPF,CAP_PERFMON",
            "--system-call-filter=bpf",
            "--console=pipe",
            "--link-journal=no",
        ]);
        let console = File::create(disk.join("console")).unwrap();
        command.stdin(Stdio::null()).stdout(console.try_clone().unwrap()).stderr(console);
        let nspawn = command.spawn().unwrap();
        let mut machine = Self { nspawn, first: 0, disk, _folder: folder, _lock: lock, _alone: alone };
        machine.wait_until("the machine has a first process", |machine| machine.find_first().is_some());
        machine.first = machine.find_first().unwrap();
        machine.wait_until("the machine is up", |machine| {
            let state = machine.run("systemctl is-system-running");
            ["running", "degraded"].contains(&String::from_utf8_lossy(&state.stdout).trim())
        });
        machine
    }

    fn find_first(&self) -> Option<u32> {
        child(self.nspawn.id(), "1")
    }

    /// Holds the process of the service that runs now to a limit of its unit, for as long as it runs: a systemd in a container has no
    /// controllers where the host has control groups of version 1. Returns the group; `None` if this host has no such controller.
    fn limit(&self, controller: &str, file: &str, property: &str) -> Option<PathBuf> {
        let top = Path::new("/sys/fs/cgroup").join(controller);
        if !top.join("cgroup.procs").exists() {
            return None;
        }
        let group = top.join(group());
        let _ = std::fs::create_dir(&group);
        let process = child(self.first, &self.property("MainPID")).expect("the service runs");
        std::fs::write(group.join(file), self.property(property)).unwrap();
        std::fs::write(group.join("cgroup.procs"), process.to_string()).unwrap();
        Some(group)
    }

    /// Holds the process of the service that runs now to the `MemoryMax=` and `TasksMax=` of its unit. Reports a skipped check if that
    /// is not possible.
    pub fn enforce_limits(&self) -> Option<Limited> {
        let memory = self.limit("memory", "memory.limit_in_bytes", "MemoryMax");
        let limited = memory.zip(self.limit("pids", "pids.max", "TasksMax")).map(|(memory, _)| Limited(memory));
        if limited.is_none() {
            skip("a control group of version 1 for memory and processes");
        }
        limited
    }

    /// Runs a line of shell in the machine.
    pub fn run(&self, line: &str) -> Output {
        let mut command = Command::new("nsenter");
        command.args([
            "--all",
            "--target",
            &self.first.to_string(),
            "env",
            "-i",
            "HOME=/root",
            "DEBIAN_FRONTEND=noninteractive",
        ]);
        command.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-c", line]);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a line of shell, which must succeed, and returns its output.
    pub fn succeed(&self, line: &str) -> String {
        let output = self.run(line);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{line}` failed: {printed}{errors}\n{}", self.journal());
        printed
    }

    /// Journal of the service.
    pub fn journal(&self) -> String {
        let output = self.run("journalctl --no-pager -o cat -u gazetted.service -n 60");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Path of a file of the machine, as seen from outside.
    pub fn file(&self, path: &str) -> PathBuf {
        self.disk.join("root").join(path.trim_start_matches('/'))
    }

    /// Path of a file as the machine sees it, including mounts.
    pub fn inside(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.first)).join(path.trim_start_matches('/'))
    }

    /// Writes a file, with its folders.
    pub fn write(&self, path: &str, text: &str) {
        let inside = self.inside(path);
        std::fs::create_dir_all(inside.parent().unwrap()).unwrap();
        std::fs::write(inside, text).unwrap();
    }

    /// Copies a file into the machine.
    pub fn copy(&self, from: &Path, to: &str) {
        std::fs::copy(from, self.inside(to)).unwrap();
    }

    /// A program that runs outside, but in the network of the machine.
    pub fn beside(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.first.to_string()]).arg(program);
        command
    }

    /// A property of the service, by `systemctl show`.
    pub fn property(&self, name: &str) -> String {
        self.succeed(&format!("systemctl show --value -p {name} gazetted.service")).trim().to_owned()
    }

    pub fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited in vain until {what}:\n{}\n{}", self.console(), self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn console(&self) -> String {
        std::fs::read_to_string(self.disk.join("console")).unwrap_or_default()
    }

    fn log(&self) -> String {
        if self.first == 0 { String::new() } else { self.journal() }
    }
}

/// Removes a control group without processes, and its subgroups: only their folders can be removed.
fn remove_group(group: &Path) {
    let inside = std::fs::read_dir(group).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    inside.filter(|path| path.is_dir()).for_each(|path| remove_group(&path));
    let _ = std::fs::remove_dir(group);
}

impl Drop for Machine {
    fn drop(&mut self) {
        // First asks it to halt.
        let process = rustix::process::Pid::from_child(&self.nspawn);
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.nspawn.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.nspawn.kill();
        let _ = self.nspawn.wait();
        // Then kills it, with everything that still runs in the machine.
        let is_ours = |status: String| status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"));
        if self.first != 0 && std::fs::read_to_string(format!("/proc/{}/status", self.first)).is_ok_and(is_ours) {
            let first = i32::try_from(self.first).ok().and_then(rustix::process::Pid::from_raw);
            let _ = first.map(|first| rustix::process::kill_process(first, rustix::process::Signal::KILL));
        }
        for place in [self.disk.join("root"), self.disk.clone()] {
            let _ = Command::new("umount").arg(place).status();
        }
        for top in ["unified", "systemd", "memory", "pids", ""] {
            remove_group(&Path::new("/sys/fs/cgroup").join(top).join(group()));
        }
    }
}
