//! A server's process: lines in both directions and an end that it cannot avoid.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rtt_core::clock;
use rtt_core::json;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How much of the error output is kept, in bytes.
const KEPT_STDERR: usize = 1 << 16;
/// How long a server may take to end after its input was closed, and again after it was asked to by a signal.
const GRACE: Duration = Duration::from_secs(2);
/// How often somebody who waits looks up.
const TICK: Duration = Duration::from_millis(50);

/// How a server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Program and arguments; not empty.
    pub command: Vec<String>,
    /// Variables besides those of this process.
    pub env: BTreeMap<String, String>,
    /// The folder that it starts in; this process' own where it is not said.
    pub current_dir: Option<PathBuf>,
}

/// Whether this process was told to end; it then ends the servers that it started first.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Notes SIGINT, SIGTERM and SIGHUP from now on.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn on_signals() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).expect("signals have positive numbers");
            signal_hook::flag::register_usize(signal, interrupt.0.clone(), number)?;
        }
        Ok(interrupt)
    }

    /// Tells whether a signal came.
    pub fn came(&self) -> bool {
        self.signal() != 0
    }

    /// Ends this process by the signal that came, as if nobody had noted it.
    pub fn follow(&self) {
        if self.came() {
            drop(signal_hook::low_level::emulate_default_handler(self.signal()));
        }
    }

    fn signal(&self) -> i32 {
        i32::try_from(self.0.load(Ordering::Relaxed)).expect("it was one")
    }
}

/// What a server's output brings.
pub(super) enum Output {
    /// A line without its end.
    Line(Vec<u8>),
    /// A line of more than [`json::MAX_BYTES`].
    TooLong,
    /// Nothing more.
    End,
}

/// Why nothing came.
pub(super) enum NoOutput {
    TimedOut,
    Interrupted,
}

/// A running server; dropping it ends it and what it has started.
pub(super) struct Process {
    child: Child,
    input: Option<Sender<Vec<u8>>>,
    output: Receiver<Output>,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    stderr_reader: Option<JoinHandle<()>>,
    interrupt: Interrupt,
}

impl Process {
    pub(super) fn start(launch: &Launch, interrupt: &Interrupt) -> io::Result<Self> {
        let (program, arguments) = launch.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).envs(&launch.env);
        if let Some(folder) = &launch.current_dir {
            command.current_dir(folder);
        }
        // A group of its own, so that what the server starts (as npx does) can be ended with it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (input, lines) = channel::<Vec<u8>>();
        let mut stdin = child.stdin.take().expect("piped");
        // A server that does not read must not hold us up; the thread ends with the channel or the pipe.
        std::thread::spawn(move || {
            lines.iter().try_for_each(|line| stdin.write_all(&line).and_then(|()| stdin.flush()))
        });
        let stdout = child.stdout.take().expect("piped");
        let (to, output) = sync_channel(1);
        std::thread::spawn(move || read_lines(stdout, &to));
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let (pipe, kept) = (child.stderr.take().expect("piped"), stderr.clone());
        let stderr_reader = std::thread::spawn(move || keep_end(pipe, &kept));
        let interrupt = interrupt.clone();
        Ok(Self { child, input: Some(input), output, stderr, stderr_reader: Some(stderr_reader), interrupt })
    }

    /// Sends a line; a server that is gone shows when an answer is waited for.
    pub(super) fn send(&self, mut line: Vec<u8>) {
        line.push(b'\n');
        if let Some(input) = &self.input {
            drop(input.send(line));
        }
    }

    pub(super) fn receive(&self, deadline: Instant) -> Result<Output, NoOutput> {
        loop {
            if self.interrupt.came() {
                return Err(NoOutput::Interrupted);
            }
            let left = deadline.saturating_duration_since(clock::stopwatch());
            match self.output.recv_timeout(left.min(TICK)) {
                Ok(output) => return Ok(output),
                Err(RecvTimeoutError::Disconnected) => return Ok(Output::End),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(NoOutput::TimedOut),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Ends the server; returns how it ended and the end of its error output.
    pub(super) fn end(mut self) -> (Option<ExitStatus>, String) {
        let status = self.stop();
        // The pipe closes with the last process that holds it; one that left the group may hold it longer than we wait.
        let reader = self.stderr_reader.take().expect("taken here alone");
        let patience = clock::stopwatch() + TICK * 4;
        while !reader.is_finished() && clock::stopwatch() < patience {
            std::thread::sleep(TICK / 5);
        }
        let kept: Vec<u8> = self.stderr.lock().expect("no holder panics").iter().copied().collect();
        (status, String::from_utf8_lossy(&kept).into_owned())
    }

    /// Closes its input and waits; asks by a signal and waits; then leaves it no choice.
    fn stop(&mut self) -> Option<ExitStatus> {
        self.input = None;
        let group = Pid::from_child(&self.child);
        let has_ended = |patience: Duration| {
            let end = clock::stopwatch() + patience;
            loop {
                // Not reaped yet, so that the number of the group is nobody else's.
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
                match waitid(WaitId::Pid(group), options) {
                    Ok(Some(_)) | Err(_) => return true,
                    Ok(None) if clock::stopwatch() >= end => return false,
                    Ok(None) => std::thread::sleep(TICK / 5),
                }
            }
        };
        if !has_ended(GRACE) {
            let _ = kill_process_group(group, Signal::TERM);
            has_ended(GRACE);
        }
        let _ = kill_process_group(group, Signal::KILL);
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stderr_reader.is_some() {
            self.stop();
        }
    }
}

fn read_lines(pipe: impl Read, to: &SyncSender<Output>) {
    let mut reader = BufReader::new(pipe);
    loop {
        let mut line = Vec::new();
        let read = reader.by_ref().take(json::MAX_BYTES as u64 + 1).read_until(b'\n', &mut line);
        let output = match read {
            Ok(0) | Err(_) => Output::End,
            Ok(_) if line.len() > json::MAX_BYTES => Output::TooLong,
            Ok(_) => Output::Line(line),
        };
        let is_last = !matches!(output, Output::Line(_));
        if to.send(output).is_err() || is_last {
            return;
        }
    }
}

fn keep_end(mut pipe: impl Read, kept: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut buffer) {
        let mut kept = kept.lock().expect("no holder panics");
        kept.extend(&buffer[..length]);
        let surplus = kept.len().saturating_sub(KEPT_STDERR);
        kept.drain(..surplus);
    }
}
