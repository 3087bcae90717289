//! The rules of recordings: which entry continues when an article takes over the entry of its recording. Pure; `store/ownership.rs`
//! reads and writes the entries.

/// An entry that may be transferred.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holding {
    pub number: i64,
    /// It has been visible in a version.
    pub shown: bool,
    /// It is visible.
    pub is_public: bool,
    pub history: RecordingHistory,
}

/// The recordings that an entry has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordingHistory {
    /// None.
    Nothing,
    /// One that never was an entry.
    HasRecording,
    /// It continues the entry of a recording.
    Continues,
}

/// The transfer of an entry from a recording to its article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// None: the entry of the recording is withdrawn.
    Withdraw,
    /// The article gets the entry of the recording; it has none of its own.
    Rename,
    /// As `Rename`; the entry of the article is merged into that of the recording.
    MergeArticle,
    /// The entry of the recording is merged into that of the article.
    MergeRecording,
}

/// Decides how an article takes over the entry of a recording. Of two visible entries, the recording's continues, unless the article's
/// is an older episode. An entry that was never visible is not transferred.
pub(super) fn decide(recording: Holding, article: Option<Holding>) -> Transfer {
    let is_transferred = if article.is_some() { recording.is_public } else { recording.shown };
    if !is_transferred {
        return Transfer::Withdraw;
    }
    let is_older_episode =
        |article: Holding| article.history != RecordingHistory::Nothing && article.number < recording.number;
    match article.filter(|article| article.number != recording.number) {
        Some(article) if article.is_public && is_older_episode(article) => Transfer::MergeRecording,
        Some(_) => Transfer::MergeArticle,
        None => Transfer::Rename,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_that_readers_know_best_continues() {
        let entry = |number| Holding { number, shown: true, is_public: true, history: RecordingHistory::Nothing };
        let unseen = |number| Holding { shown: false, is_public: false, ..entry(number) };
        let expired = |number| Holding { is_public: false, ..entry(number) };
        let episode = |number| Holding { history: RecordingHistory::HasRecording, ..entry(number) };
        let rows = [
            ("a new article", entry(2), None, Transfer::Rename),
            ("a recording that was never visible", unseen(2), None, Transfer::Withdraw),
            ("a recording that has expired", expired(2), None, Transfer::Rename),
            ("expired, and the article has an entry", expired(2), Some(entry(1)), Transfer::Withdraw),
            ("two visible entries", entry(2), Some(entry(1)), Transfer::MergeArticle),
            ("an older episode", entry(2), Some(episode(1)), Transfer::MergeRecording),
            ("a younger episode", entry(2), Some(episode(3)), Transfer::MergeArticle),
            ("an older episode that has expired", entry(2), Some(expired(1)), Transfer::MergeArticle),
            ("a scheduled article", entry(2), Some(unseen(1)), Transfer::MergeArticle),
            ("one entry already", entry(2), Some(episode(2)), Transfer::Rename),
        ];
        for (rule, recording, article, expected) in rows {
            assert_eq!(decide(recording, article), expected, "{rule}");
        }
    }
}
