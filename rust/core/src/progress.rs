//! What long work tells its caller, and how the caller stops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::error::{Error, Result};

/// A stage of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Training the codebook; counted in steps.
    Train,
    /// Coding vectors; counted in tokens.
    Encode,
    /// Joining segments; counted in tokens.
    Merge,
    /// Closing files and committing; counted in steps.
    Write,
}

impl Stage {
    /// The stage's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Encode => "encode",
            Self::Merge => "merge",
            Self::Write => "write",
        }
    }
}

/// A callback of stage, units done and units in all. Its error (usually [`Error::Interrupted`]) ends the work.
///
/// It is always called on the thread that asked for the work, at least ten times a second, so that it may draw and look for signals.
pub struct Progress<'a>(Option<ProgressCall<'a>>);

/// The callback's type.
pub type ProgressCall<'a> = &'a mut dyn FnMut(Stage, u64, u64) -> Result<()>;

impl<'a> Progress<'a> {
    /// Reports to a callback.
    pub fn new(call: ProgressCall<'a>) -> Self {
        Self(Some(call))
    }

    /// Reports to nobody.
    pub fn none() -> Self {
        Self(None)
    }

    pub(crate) fn report(&mut self, stage: Stage, done: u64, total: u64) -> Result<()> {
        match &mut self.0 {
            Some(call) => call(stage, done, total),
            None => Ok(()),
        }
    }

    /// Runs work on a pool. This thread stays behind and passes on what the work reports.
    pub(crate) fn attend<T: Send>(
        &mut self,
        pool: &rayon::ThreadPool,
        work: impl FnOnce(&Reporter) -> Result<T> + Send,
    ) -> Result<T> {
        const PATIENCE: Duration = Duration::from_millis(100);
        let (sender, receiver) = channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let reporter = Reporter {
            sender,
            stopped: Arc::clone(&stopped),
        };
        std::thread::scope(|scope| {
            // The reporter goes with the work: the channel closes when it is done, even by a panic.
            let worker = scope.spawn(move || pool.install(|| work(&reporter)));
            let mut refused = Ok(());
            let mut last = None;
            loop {
                match receiver.recv_timeout(PATIENCE) {
                    Ok(message) => last = Some(message),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if let (Ok(()), Some((stage, done, total))) = (&refused, last) {
                    refused = self.report(stage, done, total);
                    stopped.store(refused.is_err(), Ordering::Relaxed);
                }
            }
            match worker.join() {
                Ok(result) => refused.and(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// The worker's end: reports, and learns that it should stop.
pub(crate) struct Reporter {
    sender: Sender<(Stage, u64, u64)>,
    stopped: Arc<AtomicBool>,
}

impl Reporter {
    pub(crate) fn report(&self, stage: Stage, done: u64, total: u64) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        // The listener leaves only after the work is done.
        let _nobody_listens = self.sender.send((stage, done, total));
        Ok(())
    }
}
