//! The queue between the watch and the writer. It is bounded: if the writer is far behind, all hints are dropped in favour of one
//! comparison of the whole folder, which costs less than to follow them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Change;

/// Maximum number of hints that wait.
const MAX_HINTS: usize = 16_384;
/// Maximum number of renames of folders that wait: each may concern every article.
const MAX_FOLDER_RENAMES: usize = 512;
/// From this number of looks at the front on, those into folders where little changes go first.
const CROWD: usize = 64;
/// Maximum number of looks into a folder where little changes.
const FEW: usize = 8;
/// Maximum number of looks that go first at a time, so that the others proceed as well.
const MAX_FAVOURED: usize = 64;
/// Interval between two reports that hints were dropped.
const REPORT_INTERVAL: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
struct QueueState {
    /// Which files may go before others.
    may_go_first: Option<fn(&Path) -> bool>,
    waiting: VecDeque<Change>,
    /// Number of hints that were taken or dropped: the position of the first one that waits.
    taken: usize,
    /// Files in [`Change::Look`] behind the last rename or fence. Their order among each other does not matter.
    looks: HashSet<PathBuf>,
    /// Position of the last rename or fence.
    last_ordered: Option<usize>,
    folder_renames: usize,
    is_reconcile_waiting: bool,
    is_replicated_waiting: bool,
    is_sender_gone: bool,
    is_receiver_gone: bool,
    reported: Option<Instant>,
}

impl QueueState {
    fn push(&mut self, change: Change) {
        match &change {
            Change::Look(path) => {
                // The hint that waits will be followed later than now.
                if !self.looks.insert(path.clone()) {
                    return;
                }
            }
            Change::Reconcile if self.is_reconcile_waiting => return,
            Change::Reconcile => self.is_reconcile_waiting = true,
            Change::Replicated if self.is_replicated_waiting => return,
            Change::Replicated => self.is_replicated_waiting = true,
            Change::Displaced => {}
            Change::FolderMoved { from, to } => {
                if self.continues(from, to) {
                    return;
                }
                self.looks.clear();
                self.folder_renames += 1;
                self.last_ordered = Some(self.taken + self.waiting.len());
            }
            Change::Moved { .. } | Change::Exchanged { .. } | Change::Fence | Change::Lost => {
                self.looks.clear();
                self.last_ordered = Some(self.taken + self.waiting.len());
            }
        }
        self.waiting.push_back(change);
        if self.waiting.len() > MAX_HINTS || self.folder_renames > MAX_FOLDER_RENAMES {
            self.drop_hints();
        }
    }

    /// Merges the rename of a folder with the one before, if that is the last hint whose order matters and led to this folder.
    fn continues(&mut self, from: &PathBuf, to: &PathBuf) -> bool {
        let Some(index) = self.last_ordered.and_then(|position| position.checked_sub(self.taken)) else { return false };
        match self.waiting.get_mut(index) {
            Some(Change::FolderMoved { to: last, .. }) if *last == *from => {
                to.clone_into(last);
                true
            }
            _ => false,
        }
    }

    fn drop_hints(&mut self) {
        let count = self.waiting.len();
        if self.reported.is_none_or(|at| at.elapsed() >= REPORT_INTERVAL) {
            self.reported = Some(Instant::now());
            tracing::info!(count, "changes arrive faster than they are read; comparing the whole folder");
        }
        self.taken += count;
        // Never dropped: it is sent once.
        let kept = [Change::Displaced, Change::Replicated].into_iter().filter(|change| self.waiting.contains(change));
        let kept: Vec<Change> = kept.collect();
        self.waiting = VecDeque::from([Change::Lost, Change::Reconcile]);
        self.waiting.extend(kept);
        self.looks = HashSet::new();
        self.last_ordered = Some(self.taken);
        (self.folder_renames, self.is_reconcile_waiting) = (0, true);
    }

    /// Moves some of the looks before the next rename to the front: those into folders where little changes. A file that is saved by hand does
    /// not wait for a checkout of thousands. They also pass fences, which only say that all before them has been seen.
    fn favour_few(&mut self) {
        let may_be_passed = |change: &&Change| matches!(change, Change::Look(_) | Change::Fence);
        let run = self.waiting.iter().take_while(may_be_passed).count();
        let Some(may_go_first) = self.may_go_first.filter(|_| run >= CROWD) else { return };
        let folder = |change: &Change| match change {
            Change::Look(path) => path.parent().map(Path::to_path_buf),
            _ => None,
        };
        let mut crowds: HashMap<PathBuf, usize> = HashMap::new();
        for folder in self.waiting.iter().take(run).filter_map(folder) {
            *crowds.entry(folder).or_default() += 1;
        }
        let is_lone = |change: &Change| {
            let is_among_few =
                || folder(change).and_then(|folder| crowds.get(&folder)).is_some_and(|count| *count <= FEW);
            matches!(change, Change::Look(path) if may_go_first(path)) && is_among_few()
        };
        let mut favoured = VecDeque::new();
        let mut others = VecDeque::with_capacity(run);
        for change in self.waiting.drain(..run) {
            let goes_first = favoured.len() < MAX_FAVOURED && is_lone(&change);
            if goes_first { favoured.push_back(change) } else { others.push_back(change) }
        }
        for change in others.into_iter().rev().chain(favoured.into_iter().rev()) {
            self.waiting.push_front(change);
        }
        // A fence may have changed its place.
        if self.last_ordered.is_some_and(|position| position < self.taken + run) {
            let last = self.waiting.iter().take(run).rposition(|change| *change == Change::Fence);
            self.last_ordered = last.map(|index| self.taken + index);
        }
    }

    fn pop(&mut self) -> Option<Change> {
        loop {
            let change = self.waiting.pop_front()?;
            self.taken += 1;
            match &change {
                Change::Look(path) => drop(self.looks.remove(path)),
                Change::FolderMoved { from, to } => {
                    self.folder_renames -= 1;
                    // It was renamed back.
                    if from == to {
                        continue;
                    }
                }
                Change::Reconcile => self.is_reconcile_waiting = false,
                Change::Replicated => self.is_replicated_waiting = false,
                Change::Moved { .. } | Change::Exchanged { .. } | Change::Fence | Change::Lost | Change::Displaced => {}
            }
            return Some(change);
        }
    }
}

type Shared = Arc<(Mutex<QueueState>, Condvar)>;

fn lock(shared: &Shared) -> MutexGuard<'_, QueueState> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates a queue. `may_go_first` says which files may go before others if little else changes in their folders.
pub fn channel(may_go_first: fn(&Path) -> bool) -> (ChangeSender, ChangeReceiver) {
    let shared = Shared::default();
    lock(&shared).may_go_first = Some(may_go_first);
    (ChangeSender(Arc::clone(&shared)), ChangeReceiver(shared))
}

/// The end of the watch. Dropping it closes the queue.
#[derive(Debug)]
pub struct ChangeSender(Shared);

impl ChangeSender {
    /// Adds a change. It may be merged with another, or dropped for a comparison of the whole folder. Returns false if the receiver
    /// has ended.
    pub fn send(&self, change: Change) -> bool {
        let mut state = lock(&self.0);
        if state.is_receiver_gone {
            return false;
        }
        state.push(change);
        drop(state);
        self.0.1.notify_one();
        true
    }
}

impl ChangeSender {
    /// A handle that wakes the receiver, and does not keep the queue open.
    pub fn waker(&self) -> ReplicaWaker {
        ReplicaWaker(Arc::clone(&self.0))
    }
}

/// Tells the writer of new records in the log of the replicas.
#[derive(Debug)]
pub struct ReplicaWaker(Shared);

impl ReplicaWaker {
    /// Adds [`Change::Replicated`]. Returns false if one end of the queue is gone.
    pub fn wake(&self) -> bool {
        let mut state = lock(&self.0);
        if state.is_receiver_gone || state.is_sender_gone {
            return false;
        }
        state.push(Change::Replicated);
        drop(state);
        self.0.1.notify_one();
        true
    }
}

impl Drop for ChangeSender {
    fn drop(&mut self) {
        lock(&self.0).is_sender_gone = true;
        self.0.1.notify_all();
    }
}

/// The end of the writer.
#[derive(Debug)]
pub struct ChangeReceiver(Shared);

impl ChangeReceiver {
    /// Takes the next change, the first one of a batch. Waits for one at most for `timeout`.
    ///
    /// # Errors
    /// There was none, or the sender has ended and there will be none.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Change, RecvTimeoutError> {
        let is_idle = |state: &mut QueueState| state.waiting.is_empty() && !state.is_sender_gone;
        let waited = self.0.1.wait_timeout_while(lock(&self.0), timeout, is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let is_sender_gone = state.is_sender_gone;
        state.favour_few();
        state.pop().ok_or(if is_sender_gone { RecvTimeoutError::Disconnected } else { RecvTimeoutError::Timeout })
    }

    /// Takes the next change, without waiting.
    ///
    /// # Errors
    /// There is none now, or the sender has ended and there will be none.
    pub fn try_recv(&self) -> Result<Change, TryRecvError> {
        let mut state = lock(&self.0);
        let is_sender_gone = state.is_sender_gone;
        state.pop().ok_or(if is_sender_gone { TryRecvError::Disconnected } else { TryRecvError::Empty })
    }
}

impl Drop for ChangeReceiver {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.is_receiver_gone = true;
        state.waiting = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue in which Markdown may go first.
    fn queue() -> (ChangeSender, ChangeReceiver) {
        channel(|path| path.extension().is_some_and(|ending| ending == "md"))
    }

    fn look(name: &str) -> Change {
        Change::Look(name.into())
    }

    #[test]
    fn a_file_that_is_saved_during_a_checkout_goes_first() {
        let (sender, receiver) = queue();
        let send = |name: &str| assert!(sender.send(look(name)));
        (0..100).for_each(|number| send(&format!("posts/{number}.md")));
        send("note.md");
        // A photo may belong to an article that comes before it.
        send("photo.jpg");
        (100..200).for_each(|number| send(&format!("posts/{number}.md")));
        assert!(sender.send(Change::Fence));
        send("behind-a-fence.md");
        assert!(sender.send(folder("a", "b")));
        send("behind-a-rename.md");
        let next = || receiver.recv_timeout(Duration::ZERO).unwrap();
        assert_eq!([next(), next()], [look("note.md"), look("behind-a-fence.md")]);
        // The others keep their order, and nothing passes a change whose place matters.
        for number in 0..200 {
            if number == 100 {
                assert_eq!(next(), look("photo.jpg"));
            }
            assert_eq!(next(), look(&format!("posts/{number}.md")));
        }
        assert_eq!(next(), Change::Fence);
        // It continues the rename before it, wherever that is now.
        assert!(sender.send(folder("b", "c")));
        assert_eq!([next(), next()], [folder("a", "c"), look("behind-a-rename.md")]);
    }

    #[test]
    fn files_in_many_folders_do_not_hold_back_a_folder_where_much_changes() {
        let (sender, receiver) = queue();
        (0..100).for_each(|number| assert!(sender.send(look(&format!("posts/{number}.md")))));
        (0..100).for_each(|number| assert!(sender.send(look(&format!("{number}/note.md")))));
        receiver.recv_timeout(Duration::ZERO).unwrap();
        let rest: Vec<Change> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
        assert_eq!((rest.len(), &rest[MAX_FAVOURED - 1]), (199, &look("posts/0.md")));
    }

    fn folder(from: &str, to: &str) -> Change {
        Change::FolderMoved { from: from.into(), to: to.into() }
    }

    fn file(from: &str, to: &str) -> Change {
        Change::Moved { from: from.into(), to: to.into() }
    }

    /// The changes that the writer gets for those that are sent.
    fn received(sent: impl IntoIterator<Item = Change>) -> Vec<Change> {
        let (sender, receiver) = queue();
        sent.into_iter().for_each(|change| assert!(sender.send(change)));
        drop(sender);
        let changes: Vec<Change> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.recv_timeout(Duration::from_mins(1)), Err(RecvTimeoutError::Disconnected));
        changes
    }

    #[test]
    fn repeated_hints_of_one_file_are_one_up_to_the_next_rename() {
        assert_eq!(received([look("a"), look("b"), look("a")]), [look("a"), look("b")]);
        let sent = [look("a"), file("b", "a"), look("a"), look("a"), Change::Fence, look("a")];
        let expected = [look("a"), file("b", "a"), look("a"), Change::Fence, look("a")];
        assert_eq!(received(sent), expected);
        assert_eq!(received([Change::Reconcile, look("a"), Change::Reconcile]), [Change::Reconcile, look("a")]);
    }

    #[test]
    fn a_hint_that_was_taken_is_no_reason_to_drop_the_next() {
        let (sender, receiver) = queue();
        for _ in 0..3 {
            assert!(sender.send(look("a")) && sender.send(Change::Reconcile));
            assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(look("a")), Ok(Change::Reconcile)));
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        }
        drop(receiver);
        assert!(!sender.send(look("a")), "the watch has to end");
    }

    #[test]
    fn renames_of_one_folder_in_a_row_are_one() {
        assert_eq!(received([folder("a", "b"), look("b/x"), folder("b", "c")]), [folder("a", "c"), look("b/x")]);
        assert_eq!(received([folder("a", "b"), folder("b", "a"), look("a/x")]), [look("a/x")]);
        let storm = (0..100_000).flat_map(|_| [folder("a", "b"), look("b/x"), folder("b", "a"), look("a/x")]);
        assert!(received(storm).len() <= 4);
        // Anything between them may depend on their order.
        for between in [file("b/x", "b/y"), folder("c", "d"), Change::Fence, Change::Lost] {
            let sent = [folder("a", "b"), between, folder("b", "a")];
            assert_eq!(received(sent.clone()), sent);
        }
        // One that was taken is not changed.
        let (sender, receiver) = queue();
        assert!(sender.send(folder("a", "b")));
        assert_eq!(receiver.try_recv(), Ok(folder("a", "b")));
        assert!(sender.send(folder("b", "a")));
        assert_eq!(receiver.try_recv(), Ok(folder("b", "a")));
    }

    #[test]
    fn too_many_hints_are_replaced_by_one_comparison() {
        let looks = |count: usize| (0..count).map(|number| look(&number.to_string()));
        assert_eq!(received(looks(MAX_HINTS)).len(), MAX_HINTS);
        assert_eq!(received(looks(MAX_HINTS + 1)), [Change::Lost, Change::Reconcile]);
        let later = [look("0"), Change::Reconcile, look("0")];
        assert_eq!(received(looks(MAX_HINTS + 1).chain(later)), [Change::Lost, Change::Reconcile, look("0")]);
        let displaced = [Change::Displaced].into_iter().chain(looks(MAX_HINTS));
        assert_eq!(received(displaced), [Change::Lost, Change::Reconcile, Change::Displaced]);
        let renames = (0..=MAX_FOLDER_RENAMES).map(|number| folder(&number.to_string(), "elsewhere"));
        assert_eq!(received(renames), [Change::Lost, Change::Reconcile]);
        let many: Vec<Change> = received(looks(10 * MAX_HINTS));
        assert!(many.len() <= MAX_HINTS && many[0] == Change::Lost);
    }
}
