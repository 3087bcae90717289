//! All tests from outside, in one program: through files, HTTP and real readers.

// A test fails by a panic.
#![allow(clippy::unwrap_used)]

mod invariants;
mod random;
mod responses;
mod site;
mod tools;
mod waiting;

mod addresses;
mod admin;
mod archives;
mod bulk_import;
mod cases;
mod checkers;
mod cleaning;
mod cold;
mod command_line;
mod commands;
mod configuration;
mod corpus;
mod damage;
mod end_to_end;
mod faults;
mod foreign;
mod forgetting;
mod fuzz;
mod golden;
mod hostile_recordings;
mod http;
mod importing;
mod kill;
mod links;
mod media;
mod messages;
mod mounts;
mod moving;
mod order;
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
mod sections;
mod security;
mod service;
mod slow;
mod soak;
mod state;
mod stopping;
mod storms;
mod survival;
mod texts;
mod torn;
mod units;
mod validity;
mod views;
mod watching;
mod withheld;
