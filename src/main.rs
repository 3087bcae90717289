//! The program comes with the daemon.

fn main() {}
