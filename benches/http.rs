//! Processor time of the server for each request, beside nginx (if it is installed) serving the same bytes from files.
//!
//! `cargo bench --bench http -- --requests 100000`

#![allow(clippy::cast_precision_loss)] // Numbers of this size lose nothing as floats.

mod measure;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use measure::{Client, Server, argument, fill, machine};

/// Connections that ask at the same time.
const CONNECTIONS: usize = 8;

fn main() {
    let requests = argument("--requests", 80_000);
    let directory = tempfile::tempdir().expect("a folder for the run");
    let folder = directory.path().join("articles");
    std::fs::create_dir(&folder).expect("a folder can be made");
    fill(&folder, 60);
    let gazetted = Server::gazetted(&folder, &directory.path().join("state"));
    let mut client = Client::connect(&gazetted.address);
    client.get("/rss.xml", "");
    let plain = client.body().to_vec();
    client.get("/rss.xml", "Accept-Encoding: gzip\r\n");
    let coded = client.body().to_vec();
    println!("requests per second of the server's processor time, {requests} requests each, {}", machine());
    println!("  the document: {} bytes, {} by gzip", plain.len(), coded.len());

    let nginx = nginx(directory.path(), &plain, &coded);
    println!("  {:<20} {:>12} {:>12} {:>8}", "", "gazetted", "nginx", "cost");
    for (name, fields, conditional) in [
        ("304", "Accept-Encoding: gzip\r\n", true),
        ("200 gzip", "Accept-Encoding: gzip\r\n", false),
        ("200 identity", "", false),
    ] {
        // Twice each, in turn, the better one counts: other work on the machine only ever makes a run slower.
        let ours = best(|| rate(&gazetted, fields, conditional, requests));
        let theirs = nginx.as_ref().map(|nginx| best(|| rate(nginx, fields, conditional, requests)));
        let peer = theirs.map_or("-".to_owned(), |rate| format!("{rate:.0}"));
        let cost = theirs.map_or("-".to_owned(), |theirs| format!("{:.2}", theirs / ours));
        println!("  {name:<20} {ours:>12.0} {peer:>12} {cost:>8}");
    }
    println!("  cost: processor time of gazetted for a request, nginx = 1");
    println!("  resident memory of gazetted: {} KiB", gazetted.resident());
}

fn best(mut measure: impl FnMut() -> f64) -> f64 {
    measure().max(measure())
}

/// Requests per second of processor time.
fn rate(server: &Server, fields: &str, conditional: bool, requests: usize) -> f64 {
    let first = Client::connect(&server.address).get("/rss.xml", fields);
    let condition = if conditional { format!("If-None-Match: {}\r\n", first.etag) } else { String::new() };
    let fields: Arc<str> = format!("{fields}{condition}").into();
    let (address, expected) = (server.address.clone(), if conditional { 304 } else { 200 });
    let before = server.cpu();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, fields) = (address.clone(), fields.clone());
            thread::spawn(move || {
                let mut client = Client::connect(&address);
                for _ in 0..requests / CONNECTIONS {
                    assert_eq!(client.get("/rss.xml", &fields).status, expected);
                }
            })
        })
        .collect();
    for client in clients {
        client.join().expect("a client");
    }
    requests as f64 / server.cpu().saturating_sub(before).as_secs_f64()
}

/// nginx as its own users set it up for speed, or `None` where it is not installed.
fn nginx(directory: &Path, plain: &[u8], coded: &[u8]) -> Option<Server> {
    let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists())?;
    let root = directory.join("www");
    std::fs::create_dir(&root).expect("a folder can be made");
    std::fs::write(root.join("rss.xml"), plain).expect("a file can be written");
    std::fs::write(root.join("rss.xml.gz"), coded).expect("a file can be written");
    // Workers of a root process run as somebody else, who must be able to read the files.
    for path in [directory, root.as_path()] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let address = format!("127.0.0.1:{port}");
    let directory = directory.display();
    let configuration = format!(
        "daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;
         events {{ worker_connections 1024; }}
         http {{
           access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; open_file_cache max=100;
           open_file_cache_valid 1h; types {{ application/rss+xml xml; }}
           client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2; fastcgi_temp_path {directory}/t3;
           uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
           server {{ listen {address}; root {directory}/www; gzip_static on; etag on; add_header Cache-Control max-age=300; }}
         }}"
    );
    let file = format!("{directory}/nginx.conf");
    std::fs::write(&file, configuration).expect("a file can be written");
    Some(Server::other(Command::new(program).args(["-c", &file]), address))
}
