//! Answers that are lost after the request took effect.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gazetted::replicas::{Appended, ReplicaLog};

/// Passes connections through, and cuts as many as it was asked to when an answer comes.
pub struct CuttingProxy {
    pub port: u16,
    pub cuts: Arc<AtomicUsize>,
    /// Parts of answers that are passed before the first one is cut.
    pub spared: Arc<AtomicUsize>,
}

impl CuttingProxy {
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, cuts) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let spared: Arc<AtomicUsize> = Arc::default();
        let (own_cuts, own_spared) = (cuts.clone(), spared.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(&from_client, &to_server, || false));
                let (cuts, spared) = (own_cuts.clone(), own_spared.clone());
                let must_cut = move || {
                    let less = |count: usize| count.checked_sub(1);
                    let take =
                        |count: &AtomicUsize| count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
                    !take(&spared) && take(&cuts)
                };
                std::thread::spawn(move || pass(&server, &client, must_cut));
            }
        });
        Self { port, cuts, spared }
    }
}

/// Passes bytes on until the connection ends or must be cut.
fn pass(mut from: &TcpStream, mut to: &TcpStream, must_cut: impl Fn() -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || must_cut() || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Checks that a record whose answer was lost is there once, and that it is not claimed twice. `open` opens a handle through a port, or
/// directly.
pub fn check(open: impl Fn(Option<u16>) -> Box<dyn ReplicaLog>, target: u16) {
    let proxy = CuttingProxy::start(target);
    let (mut log, mut direct) = (open(Some(proxy.port)), open(None));
    assert_eq!(log.append(1, b"the proxy passes all through").unwrap(), Appended::Created);
    for (number, cuts) in [(2, 1), (4, 2), (6, 3), (8, 100)] {
        let record = format!("record {number}").into_bytes();
        proxy.cuts.store(cuts, Ordering::SeqCst);
        let outcome = log.append(number, &record);
        assert!(proxy.cuts.swap(0, Ordering::SeqCst) < cuts, "nothing was cut");
        assert_ne!(outcome, Ok(Appended::Created), "the answer was lost");
        assert_eq!(direct.read(number).unwrap().as_ref(), Some(&record), "{outcome:?}");
        assert_eq!(log.append(number, b"another").unwrap(), Appended::Exists);
        assert_eq!(log.append(number + 1, b"next").unwrap(), Appended::Created);
        assert_eq!(direct.read(number).unwrap().as_ref(), Some(&record));
    }
}
