//! A service that speaks like S3.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use gazetted::replicas::object_storage::ObjectStorageLog;
use gazetted::replicas::{Appended, ReplicaLog};
use rustix::process::{Pid, Signal, kill_process};

use super::certificate::certify;
use crate::tools::{Running, free_port, has, has_python};
use crate::waiting::wait_until;

/// One request at a time: the service looks for an object and stores it in two steps, between which others could come.
const PROGRAM: &str = "
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.test import Client
service = DomainDispatcherApplication(create_backend_app)
assert Client(service).put('/log', base_url='http://127.0.0.1').status_code == 200
run_simple('127.0.0.1', int(sys.argv[1]), service, threaded=False, ssl_context=tuple(sys.argv[2:]) or None)
";

/// The service, with one bucket.
pub struct Service {
    pub port: u16,
    program: Running,
}

impl Service {
    /// Starts the service; reports a skipped test if it is not installed.
    pub fn start() -> Option<Self> {
        if !["moto", "flask", "flask_cors"].into_iter().all(has_python) {
            return None;
        }
        Some(Self::start_with(&[]))
    }

    /// Starts the service with files of a certificate and its key.
    fn start_with(certificate: &[&Path]) -> Self {
        let port = free_port();
        let mut command = Command::new("python3");
        command.args(["-c", PROGRAM, &port.to_string()]).args(certificate);
        let program = Running::start(&mut command);
        wait_until("the service listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, program }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.program.0), signal).unwrap();
    }

    /// A service that does not answer is an error, not a wait without end.
    pub fn check_stop(&self) {
        let mut log = log(self.port, "stop");
        assert_eq!(log.append(1, b"first").unwrap(), Appended::Created);
        self.signal(Signal::STOP);
        let error = log.append(2, b"second").unwrap_err().to_string();
        self.signal(Signal::CONT);
        assert!(error.contains("s3://log/stop: no answer within"), "{error}");
        log.append(2, b"second").unwrap();
        assert_eq!(log.read(2).unwrap().unwrap(), b"second");
        assert_eq!(log.place(), "the object storage s3://log/stop");
    }
}

/// A service with a certificate that is checked.
pub fn check_encryption() {
    if !has("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certify(Command::new("openssl").current_dir(folder.path()));
    let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
    let service = Service::start_with(&[&certificate, &key]);
    let endpoint = format!("https://localhost:{}", service.port);
    let bundle = ("AWS_CA_BUNDLE", certificate.to_str().unwrap());
    let mut log = log_in("encrypted", &[("AWS_ENDPOINT_URL", &endpoint), bundle]);
    assert_eq!(log.append(1, b"secret").unwrap(), Appended::Created);
    assert_eq!(log.read(1).unwrap().unwrap(), b"secret");
    let error = log_in("encrypted", &[("AWS_ENDPOINT_URL", &endpoint)]).read(1).unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}

/// The log with this name in the bucket of the service at a port.
pub fn log(port: u16, name: &str) -> Box<dyn ReplicaLog> {
    log_in(name, &[("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}"))])
}

/// The log with this name, with settings.
fn log_in(name: &str, settings: &[(&str, &str)]) -> Box<dyn ReplicaLog> {
    let others = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("HOME", "not read")];
    let environment = settings.iter().chain(&others).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Box::new(ObjectStorageLog::new_in(&format!("s3://log/{name}"), environment).unwrap())
}

/// A service that stores whatever comes, also where it should not.
pub fn check_refusal_of_overwriting() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let field = line.to_ascii_lowercase();
                length = field.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
                line.clear();
            }
            let _ = reader.read_exact(&mut vec![0; length]);
            let answer = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = reader.get_mut().write_all(answer.as_bytes());
        }
    });
    let error = log(port, "overwritten").append(1, b"first").unwrap_err().to_string();
    assert!(error.contains("ignores `If-None-Match: *`"), "{error}");
}
