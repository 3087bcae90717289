//! Everything that is tested from outside, in one program: through files, HTTP and real readers.

// In a test, a panic is how a failure is told.
#![allow(clippy::unwrap_used)]

mod answered;
mod invariants;
mod random;
mod site;
mod tools;

mod admin;
mod archives;
mod cases;
mod checkers;
mod cleaning;
mod command_line;
mod commands;
mod configuration;
mod corpus;
mod end_to_end;
mod faults;
mod fuzz;
mod golden;
mod http;
mod kill;
mod many;
mod media;
mod pages;
mod papers;
mod pictures;
mod properties;
mod proxies;
mod raw;
mod readers;
mod real_tools;
mod reload;
mod requests;
mod schedule;
mod security;
mod service;
mod slow;
mod soak;
mod state;
mod stopping;
mod torn;
mod units;
mod validity;
mod views;
mod watching;
