//! Threads for work that blocks. Each kind of work has a limited number of places: neither a slow disk nor many requests can take
//! all threads, and one kind of work cannot delay another.
//!
//! Tokio's blocking pool is not used: it starts hundreds of threads, and panics if the system refuses the first one.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::platform;

/// Idle time after which a thread ends. The last thread of a pool stays: under a limit of processes, a new one may be refused.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest interval between two log lines about threads that cannot be started.
const START_ERROR_INTERVAL: Duration = Duration::from_mins(1);

/// Makes a runtime for the tasks of one thread. No task in it may block.
///
/// # Errors
/// No file descriptor is left.
pub fn runtime() -> io::Result<Runtime> {
    // Nothing uses the blocking pool of the runtime.
    tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build()
}

/// The processor time of a thread, for other threads. Clones are of the same thread.
#[derive(Debug, Clone, Default)]
pub struct ThreadClock(Arc<OnceLock<(PathBuf, Instant)>>);

impl ThreadClock {
    /// Begins to count for the current thread.
    pub fn start(&self) {
        let _ = self.0.set((platform::processor_time_file(), Instant::now()));
    }

    /// Processor time of the thread; zero before it has started. Where the system does not tell it, the time since its start.
    pub fn spent(&self) -> Duration {
        let Some((file, begun)) = self.0.get() else { return Duration::ZERO };
        let nanoseconds = std::fs::read_to_string(file).ok();
        let nanoseconds = nanoseconds.and_then(|text| text.split(' ').next()?.parse().ok());
        nanoseconds.map_or_else(|| begun.elapsed(), Duration::from_nanos)
    }
}

/// Why work has no result.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The pool has no thread, and the system refuses one.
    #[error("cannot start a thread: {0}")]
    NoThread(io::Error),
    /// The panic hook has logged the panic.
    #[error("internal error: please report this")]
    Panicked,
    #[error("the program is about to end")]
    Closed,
}

/// Work that is queued for a thread.
type QueuedWork = Box<dyn FnOnce() + Send>;

/// A limited number of threads, which start when they are needed. All clones share them.
#[derive(Debug, Clone)]
pub struct WorkPool(Arc<PoolOwner>);

/// A place of a [`WorkPool`]. There are as many as the pool has threads.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Ends the threads when it is dropped.
#[derive(Debug)]
struct PoolOwner {
    shared: Arc<SharedPool>,
    places: Arc<Semaphore>,
}

/// The part of a pool that its threads share.
#[derive(Debug)]
struct SharedPool {
    name: &'static str,
    size: usize,
    state: Mutex<PoolState>,
    changed: Condvar,
}

#[derive(Default)]
struct PoolState {
    queue: VecDeque<QueuedWork>,
    threads: usize,
    /// Threads that wait for work.
    idle: usize,
    is_closed: bool,
    /// When a refused thread was last logged.
    refusal_logged: Option<Instant>,
}

impl std::fmt::Debug for PoolState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolState").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl WorkPool {
    /// Makes a pool of at most `size` threads called `name`, and starts the first. If that fails, the pool tries again when it is used.
    pub fn start(name: &'static str, size: usize) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(SharedPool { name, size, state, changed });
        let _ = shared.grow(&mut shared.state());
        Self(Arc::new(PoolOwner { shared, places: Arc::new(Semaphore::new(size)) }))
    }

    /// Waits for a place, in the order of the calls. Waiting takes no thread.
    ///
    /// # Errors
    /// Never while the pool exists.
    pub async fn place(&self) -> Result<Place, WorkError> {
        let permit = self.0.places.clone().acquire_owned().await;
        permit.map(|permit| Place { _permit: permit }).map_err(|_| WorkError::Closed)
    }

    /// Runs work on a thread. The place becomes free when the work ends, also if the caller no longer waits.
    ///
    /// # Errors
    /// The pool has no thread, or the work panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let work = move || {
            let _place = place;
            work()
        };
        self.submit(work, VecDeque::push_back).await
    }

    /// Runs work before all that waits, on the next free thread, without a place. Meant for checks that the pool makes progress.
    ///
    /// # Errors
    /// As for [`WorkPool::run`].
    pub async fn run_first<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        self.submit(work, VecDeque::push_front).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        queue: impl FnOnce(&mut VecDeque<QueuedWork>, QueuedWork),
    ) -> Result<T, WorkError> {
        let (sender, result) = oneshot::channel();
        let work = move || {
            let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
        };
        self.0.shared.submit(|waiting| queue(waiting, Box::new(work))).map_err(WorkError::NoThread)?;
        match result.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => Err(WorkError::Panicked),
            Err(_) => Err(WorkError::Closed),
        }
    }
}

impl Drop for PoolOwner {
    fn drop(&mut self) {
        // The threads are not joined: one may wait for a disk that does not respond.
        let mut state = self.shared.state();
        state.is_closed = true;
        state.queue.clear();
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl SharedPool {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues work, and starts a thread for it if none is idle.
    fn submit(self: &Arc<Self>, queue: impl FnOnce(&mut VecDeque<QueuedWork>)) -> io::Result<()> {
        let mut state = self.state();
        if state.queue.len() >= state.idle
            && state.threads < self.size
            && let Err(error) = self.grow(&mut state)
        {
            self.log_refusal(&error, &mut state);
            if state.threads == 0 {
                return Err(error);
            }
        }
        queue(&mut state.queue);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn log_refusal(&self, error: &io::Error, state: &mut PoolState) {
        if state.refusal_logged.is_none_or(|last| last.elapsed() >= START_ERROR_INTERVAL) {
            tracing::error!(%error, pool = self.name, threads = state.threads, "cannot start a thread; requests wait or get 503");
            state.refusal_logged = Some(Instant::now());
        }
    }

    fn grow(self: &Arc<Self>, state: &mut PoolState) -> io::Result<()> {
        let shared = Arc::clone(self);
        std::thread::Builder::new().name(self.name.into()).spawn(move || shared.work())?;
        state.threads += 1;
        Ok(())
    }

    /// Runs queued work until the pool is closed, or there has been none for a while.
    fn work(&self) {
        let mut state = self.state();
        while !state.is_closed {
            if let Some(work) = state.queue.pop_front() {
                drop(state);
                work();
                state = self.state();
                continue;
            }
            state.idle += 1;
            let is_last = state.threads == 1;
            let timed_out;
            (state, timed_out) = if is_last {
                (self.changed.wait(state).unwrap_or_else(PoisonError::into_inner), false)
            } else {
                let (state, timeout) =
                    self.changed.wait_timeout(state, IDLE_TIMEOUT).unwrap_or_else(PoisonError::into_inner);
                (state, timeout.timed_out())
            };
            state.idle -= 1;
            if timed_out && state.queue.is_empty() && state.threads > 1 {
                break;
            }
        }
        state.threads -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::ThreadId;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        runtime().unwrap().block_on(future)
    }

    async fn run<T: Send + 'static>(pool: &WorkPool, work: impl FnOnce() -> T + Send + 'static) -> T {
        let place = pool.place().await.unwrap();
        pool.run(place, work).await.unwrap()
    }

    #[test]
    fn a_sleeping_thread_spends_no_processor_time_and_a_busy_one_does() {
        let (busy, asleep) = (ThreadClock::default(), ThreadClock::default());
        assert_eq!(busy.spent(), Duration::ZERO);
        let (own_busy, own_asleep) = (busy.clone(), asleep.clone());
        let (started, has_started) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let sleeper = std::thread::Builder::new().spawn(move || {
            own_asleep.start();
            started.send(()).unwrap();
            ended.recv()
        });
        has_started.recv().unwrap();
        let worker = std::thread::Builder::new().spawn(move || {
            own_busy.start();
            while own_busy.spent() < Duration::from_millis(100) {}
        });
        worker.unwrap().join().unwrap();
        assert!(asleep.spent() < Duration::from_millis(50), "{:?}", asleep.spent());
        drop(end);
        assert!(sleeper.unwrap().join().unwrap().is_err());
    }

    #[test]
    fn work_runs_on_no_more_threads_than_there_are_places() {
        let pool = WorkPool::start("test", 3);
        let threads: std::collections::HashSet<ThreadId> = block_on(async {
            let tasks = (0..50).map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    run(&pool, || {
                        std::thread::sleep(Duration::from_millis(1));
                        std::thread::current().id()
                    })
                    .await
                })
            });
            let mut threads = std::collections::HashSet::new();
            for task in tasks.collect::<Vec<_>>() {
                threads.insert(task.await.unwrap());
            }
            threads
        });
        assert!((2..=3).contains(&threads.len()), "{threads:?}");
    }

    #[test]
    fn a_panic_costs_neither_a_thread_nor_a_place() {
        let pool = WorkPool::start("test", 1);
        block_on(async {
            for _ in 0..3 {
                let place = pool.place().await.unwrap();
                let result = pool.run(place, || panic!("on purpose")).await;
                assert!(matches!(result, Err::<(), _>(WorkError::Panicked)), "{result:?}");
            }
            assert_eq!(run(&pool, || 7).await, 7);
        });
    }

    #[test]
    fn urgent_work_is_done_before_what_waits() {
        let pool = WorkPool::start("test", 1);
        let (release, released) = mpsc::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        block_on(async {
            let place = pool.place().await.unwrap();
            let blocking = pool.run(place, move || released.recv());
            let note = |name: &'static str| {
                let order = order.clone();
                move || order.lock().unwrap().push(name)
            };
            let waiting = run(&pool, note("waiting"));
            let urgent = pool.run_first(note("urgent"));
            let release = async { release.send(()).unwrap() };
            let (blocked, (), urgent, ()) = tokio::join!(blocking, waiting, urgent, release);
            blocked.unwrap().unwrap();
            urgent.unwrap();
        });
        assert_eq!(*order.lock().unwrap(), ["urgent", "waiting"]);
    }

    #[test]
    fn a_caller_that_leaves_frees_its_place_only_when_the_work_ends() {
        let pool = WorkPool::start("test", 1);
        let (release, released) = mpsc::channel::<()>();
        let (begin, started) = mpsc::channel();
        block_on(async {
            let place = pool.place().await.unwrap();
            let work = move || {
                begin.send(()).unwrap();
                released.recv()
            };
            let left = tokio::time::timeout(Duration::ZERO, pool.run(place, work)).await;
            assert!(left.is_err());
            started.recv().unwrap();
            assert!(tokio::time::timeout(Duration::from_millis(20), pool.place()).await.is_err());
            release.send(()).unwrap();
            assert!(pool.place().await.is_ok());
        });
    }

    #[test]
    fn threads_end_with_their_pool() {
        let pool = WorkPool::start("test", 2);
        let shared = Arc::downgrade(&pool.0.shared);
        block_on(run(&pool, || ()));
        drop(pool);
        let deadline = Instant::now() + Duration::from_mins(1);
        while shared.strong_count() > 0 {
            assert!(Instant::now() < deadline, "a thread is still there");
            std::thread::yield_now();
        }
    }
}
