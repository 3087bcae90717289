//! Programs that do a piece of work and end: their time and peak memory.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Cost of a piece of work.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub time: Duration,
    /// Processor time in user and system mode.
    pub cpu: Duration,
    /// Peak memory in KiB.
    pub peak: u64,
}

/// Interval between two checks of a running program. The system's peak value never falls, so that only a rise in the last interval is
/// missed.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a program, which must succeed.
pub fn run(command: &mut Command) -> Cost {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the program starts");
    let (mut peak, mut cpu) = (0, Duration::ZERO);
    loop {
        let ended = child.try_wait().expect("the program can be waited for");
        let time = begun.elapsed();
        if let Some(status) = ended {
            assert!(status.success(), "{command:?} failed: {status}");
            return Cost { time, cpu, peak };
        }
        if let (Some(memory), Some(used)) = (memory(child.id(), "VmHWM:"), cpu_of(child.id())) {
            (peak, cpu) = (memory.max(peak), used);
        }
        std::thread::sleep(LOOK);
    }
}

/// A value of a process's memory in KiB from `/proc`; `None` once it has ended.
pub fn memory(process: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Processor time that a process has used, in user and system mode.
pub fn cpu_of(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    // USER_HZ is 100 on every Linux.
    Some(Duration::from_millis(ticks.sum::<u64>() * 10))
}

/// Path of a program, if it is installed.
pub fn installed(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    folders.into_iter().map(|folder| folder.join(name)).find(|file| file.is_file())
}
