//! Listening sockets. They are opened before anything else, so that clients wait instead of being refused, or passed by systemd,
//! which keeps them open across restarts.

use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use listenfd::ListenFd;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::platform;
use crate::config::{Endpoint, Listen};

/// Maximum number of connections that wait to be accepted. The system's own limit may be lower.
const BACKLOG: i32 = 4096;
/// `TCP_USER_TIMEOUT`: longest time that sent data may stay unacknowledged or a client's window closed. It is the only limit that
/// applies once the last byte has been passed to the system.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// `TCP_NOTSENT_LOWAT`: bytes that may wait in the system to be sent. Without it, a thousand clients that read nothing hold a
/// gigabyte there.
const UNSENT: u32 = 128 << 10;

/// `FileDescriptorName=` of the sockets of the admin listener.
const ADMIN_NAME: &str = "admin";

#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    /// Mostly for a proxy on the same machine.
    Unix(UnixListener),
}

impl Listener {
    /// Returns a second handle of the same socket, for another thread.
    ///
    /// # Errors
    /// No file descriptor is left.
    pub fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(listener) => listener.try_clone().map(Self::Tcp),
            Self::Unix(listener) => listener.try_clone().map(Self::Unix),
        }
    }
}

/// All listening sockets of the daemon.
#[derive(Debug)]
pub struct Sockets {
    listeners: Vec<Listener>,
    admin: Vec<Listener>,
    /// Paths of our own Unix sockets, removed on drop.
    paths: Vec<SocketPath>,
}

impl Sockets {
    /// Takes the sockets that systemd passes, or else opens the configured ones. Both kinds decide for themselves: systemd may
    /// pass only those of the admin listener.
    ///
    /// # Errors
    /// A socket cannot be used or opened; the error names it.
    pub fn open(listen: &Listen, admin: Option<&Listen>) -> anyhow::Result<Self> {
        const UNUSABLE: &str = "cannot use the sockets that systemd passed";
        let passed = passed_sockets().context(UNUSABLE)?;
        passed.iter().try_for_each(|(_, listener)| prepare(listener)).context(UNUSABLE)?;
        let (for_admin, for_clients): (Vec<_>, Vec<_>) = passed.into_iter().partition(|(name, _)| name == ADMIN_NAME);
        let mut sockets = if for_clients.is_empty() {
            Self::bind(listen)?
        } else {
            tracing::info!(sockets = for_clients.len(), "systemd passed sockets: http.listen is ignored");
            let listeners: Vec<Listener> = for_clients.into_iter().map(|(_, listener)| listener).collect();
            Self { listeners, admin: Vec::new(), paths: Vec::new() }
        };
        sockets.admin.extend(for_admin.into_iter().map(|(_, listener)| listener));
        if let Some(listen) = admin.filter(|_| sockets.admin.is_empty()) {
            let Self { listeners, mut paths, .. } = Self::bind(listen).context("admin.listen")?;
            sockets.admin = listeners;
            sockets.paths.append(&mut paths);
        }
        Ok(sockets)
    }

    fn bind(listen: &Listen) -> anyhow::Result<Self> {
        let mut sockets = Self { listeners: Vec::new(), admin: Vec::new(), paths: Vec::new() };
        let ports_of_v4: Vec<u16> = listen.endpoints().iter().filter_map(port_of_v4).collect();
        for endpoint in listen.endpoints() {
            let at =
                || format!("{endpoint}: cannot listen on this address; if it is in use, choose another with --listen");
            let listener = match endpoint {
                Endpoint::Tcp(address) => {
                    // Alone, `[::]` serves both families; beside an IPv4 address with the same port it must not.
                    let v6_only = address.port() != 0 && ports_of_v4.contains(&address.port());
                    Listener::Tcp(bind_tcp(*address, v6_only).with_context(at)?)
                }
                Endpoint::Unix(path) => {
                    let listener = bind_unix(path)?;
                    sockets.paths.push(SocketPath(path.clone()));
                    Listener::Unix(listener)
                }
            };
            prepare(&listener).with_context(at)?;
            sockets.listeners.push(listener);
        }
        Ok(sockets)
    }

    /// Returns the address of the first TCP socket.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(|listener| match listener {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            Listener::Unix(_) => None,
        })
    }

    /// Returns the addresses of the listeners for clients, as the log shows them.
    pub fn addresses(&self) -> String {
        addresses(&self.listeners)
    }

    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Returns the addresses of the admin listener, if it is on.
    pub fn admin_addresses(&self) -> Option<String> {
        (!self.admin.is_empty()).then(|| addresses(&self.admin))
    }

    pub fn admin(&self) -> &[Listener] {
        &self.admin
    }
}

impl TryFrom<TcpListener> for Sockets {
    type Error = io::Error;

    fn try_from(listener: TcpListener) -> io::Result<Self> {
        let listener = Listener::Tcp(listener);
        prepare(&listener)?;
        Ok(Self { listeners: vec![listener], admin: Vec::new(), paths: Vec::new() })
    }
}

/// Formats addresses so that a browser or a command accepts them.
fn addresses(listeners: &[Listener]) -> String {
    let addresses = listeners.iter().map(|listener| match listener {
        Listener::Tcp(listener) => listener.local_addr().map_or_else(|_| "?".to_owned(), |at| format!("http://{at}/")),
        Listener::Unix(listener) => {
            let address = listener.local_addr().ok();
            let path = address.as_ref().and_then(|address| address.as_pathname());
            path.map_or_else(|| "a Unix socket".to_owned(), |path| format!("unix:{}", path.display()))
        }
    });
    addresses.collect::<Vec<_>>().join(", ")
}

/// Path of a Unix socket of this process.
#[derive(Debug)]
struct SocketPath(PathBuf);

impl Drop for SocketPath {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn port_of_v4(endpoint: &Endpoint) -> Option<u16> {
    match endpoint {
        Endpoint::Tcp(SocketAddr::V4(address)) => Some(address.port()),
        _ => None,
    }
}

fn bind_tcp(address: SocketAddr, v6_only: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(v6_only)?;
    }
    // Connections of the previous run that are still closing do not prevent a restart.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Binds a Unix socket that every user may connect to, as with a port. The rights of its folder restrict access.
fn bind_unix(path: &Path) -> anyhow::Result<UnixListener> {
    let name = path.display();
    if UnixStream::connect(path).is_ok() {
        bail!("unix:{name}: another process listens on this socket: stop it, or choose another path with --listen");
    }
    // A killed run leaves its socket behind.
    if std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
        std::fs::remove_file(path)
            .with_context(|| format!("unix:{name}: cannot remove the socket of an earlier run"))?;
    }
    let listener = UnixListener::bind(path).with_context(|| {
        format!("unix:{name}: cannot create the socket; check that its folder exists and is writable")
    })?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
        .with_context(|| format!("unix:{name}: cannot allow other users to connect"))?;
    Ok(listener)
}

/// Returns the sockets that systemd passes, each with its `FileDescriptorName=` (sd_listen_fds(3)).
fn passed_sockets() -> io::Result<Vec<(String, Listener)>> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut descriptors = ListenFd::from_env();
    let mut listeners = Vec::with_capacity(descriptors.len());
    for place in 0..descriptors.len() {
        let listener = match descriptors.take_tcp_listener(place) {
            Ok(listener) => listener.map(Listener::Tcp),
            Err(_) => descriptors.take_unix_listener(place)?.map(Listener::Unix),
        };
        let name = names.next().unwrap_or_default();
        listeners.extend(listener.map(|listener| (name, listener)));
    }
    Ok(listeners)
}

/// Sets the options that accepted connections inherit.
fn prepare(listener: &Listener) -> io::Result<()> {
    match listener {
        Listener::Tcp(listener) => {
            listener.set_nonblocking(true)?;
            let socket = SockRef::from(listener);
            // Responses are written whole; Nagle's algorithm would only delay their ends.
            socket.set_tcp_nodelay(true)?;
            platform::limit_unsent(&socket, UNACKNOWLEDGED, UNSENT)
        }
        Listener::Unix(listener) => listener.set_nonblocking(true),
    }
}

/// Checks without blocking if there is data to read, and leaves it there.
///
/// # Errors
/// There is none yet (`WouldBlock`), or the connection is broken.
pub fn peek(socket: &impl AsFd) -> io::Result<()> {
    SockRef::from(socket).peek(&mut [MaybeUninit::uninit()]).map(drop)
}

/// Makes the close of a connection reset it and discard unsent data (`SO_LINGER` 0).
///
/// # Errors
/// The connection is broken.
pub fn forget_unsent(socket: &impl AsFd) -> io::Result<()> {
    SockRef::from(socket).set_linger(Some(Duration::ZERO))
}

/// Checks that this process may open `count` more file descriptors.
///
/// # Errors
/// It may open fewer.
pub fn check_free_descriptors(listeners: &[Listener], count: usize) -> io::Result<()> {
    let handles: io::Result<Vec<Listener>> = listeners.iter().cycle().take(count).map(Listener::try_clone).collect();
    handles.map(drop)
}

/// Raises the soft limit of open files to the hard limit. Returns the limit.
pub fn raise_descriptors() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let limit = if raised.is_ok() { maximum } else { current };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(texts: &[&str]) -> Listen {
        Listen::try_from(texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn several_sockets_open_and_their_paths_go_on_drop() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("http.sock");
        let named = format!("unix:{}", path.display());
        let sockets = Sockets::bind(&listen(&["127.0.0.1:0", &named, "[::1]:0"])).unwrap();
        assert_eq!(sockets.listeners().len(), 3);
        assert!(sockets.address().unwrap().is_ipv4());
        assert!(sockets.addresses().contains(&named));
        assert!(UnixStream::connect(&path).is_ok());
        let error = Sockets::bind(&listen(&[&named])).unwrap_err().to_string();
        assert!(error.contains("another process listens on this socket"), "{error}");
        drop(sockets);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("http.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        assert!(bind_unix(&path).is_ok());
        let file = directory.path().join("precious");
        std::fs::write(&file, "x").unwrap();
        assert!(bind_unix(&file).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "x");
    }

    #[test]
    fn both_families_on_one_port() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let both = listen(&[&format!("0.0.0.0:{free}"), &format!("[::]:{free}")]);
        assert_eq!(Sockets::bind(&both).unwrap().listeners().len(), 2);
    }
}
