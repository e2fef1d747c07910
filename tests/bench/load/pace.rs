//! Waiting to the microsecond. The timers of the runtime are good to a millisecond, in which a server
//! answers several checks.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;

/// A timer of the kernel.
#[derive(Debug)]
pub(crate) struct Pace(AsyncFd<OwnedFd>);

const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

impl Pace {
    #[expect(
        deprecated,
        reason = "sound for what owns its file, and what replaces it is unsafe to call"
    )]
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Self(AsyncFd::new(timerfd_create(TimerfdClockId::Monotonic, flags)?)?))
    }

    /// Waits until then; not at all if it is past.
    pub(crate) async fn until(&self, then: Instant) -> io::Result<()> {
        loop {
            let left = then.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let once = Itimerspec { it_interval: NEVER, it_value: timespec(left) };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
            let mut ready = self.0.readable().await?;
            // Setting it anew clears what is to be read.
            ready.clear_ready();
        }
    }
}

fn timespec(left: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    }
}
