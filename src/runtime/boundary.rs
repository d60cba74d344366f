//! Where OCaml calls and where exceptions leave.

#![allow(unsafe_code)]

use super::{Answer, Exception, Lock, RawValue, exception::Raise, large, root};
use std::{any::Any, panic::AssertUnwindSafe, panic::catch_unwind};

/// Runs a stub's body; an exception that it ends with, or a panic, is raised in OCaml.
///
/// # Safety
/// Only as the body of a function that OCaml calls: the lock must be held, and no frame between
/// may have a destructor.
pub unsafe fn run(body: impl FnOnce(&mut Lock) -> Result<Answer, Exception>) -> RawValue {
    // Here nothing is owned yet, so this may raise.
    large::clear();
    root::stock();
    match guarded(|lock| body(lock).map_err(|exception| exception.prepare(lock))) {
        // SAFETY: the lock is held, and what the body owned is gone: to raise is right here too.
        Ok(answer) => unsafe { answer.allocate(&mut Lock::held()) },
        // SAFETY: as above.
        Err(raise) => unsafe { raise.now() },
    }
}

/// The same for a stub whose result is no value.
///
/// # Safety
/// As of [`run`].
pub unsafe fn run_unboxed<T: Copy>(body: impl FnOnce(&mut Lock) -> Result<T, Exception>) -> T {
    match guarded(|lock| body(lock).map_err(|exception| exception.prepare(lock))) {
        Ok(result) => result,
        // SAFETY: the lock is held, and what the body owned is gone.
        Err(raise) => unsafe { raise.now() },
    }
}

/// Calls `body` and makes a panic an exception that is ready to be raised. Everything that either
/// owned is gone on return.
fn guarded<T>(body: impl FnOnce(&mut Lock) -> Result<T, Raise>) -> Result<T, Raise> {
    // SAFETY: the contract of `run`.
    let mut lock = unsafe { Lock::held() };
    // Unwind safe: the lock is all that crosses, and has no state.
    catch_unwind(AssertUnwindSafe(|| body(&mut lock))).unwrap_or_else(|panic| {
        let message = format!("xenctrl: internal error: {}", panic_message(&*panic));
        drop(panic);
        Err(Exception::Failure(message).prepare(&mut lock))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown")
}

/// Exports functions to OCaml: each reads its arguments by their types, runs its body, and builds
/// its result by its type. The body gives a `Result` whose error becomes an [`Exception`].
#[macro_export]
macro_rules! export {
    ($(
        $(#[$attribute:meta])*
        fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty $body:block
    )*) => {$(
        $(#[$attribute])*
        #[allow(unsafe_code)] // The attribute and the calls that make a function OCaml's.
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $crate::RawValue),*)
            -> $crate::RawValue
        {
            let body = |lock: &mut $crate::Lock| {
                $(
                    // SAFETY: OCaml passes values of the types that its declaration of the
                    // external has.
                    let $argument = unsafe { $crate::Val::new(lock, $argument) };
                    let $argument = <$type as $crate::Argument>::read($argument)?;
                )*
                let stub = || -> Result<$result, $crate::Exception> { $body };
                let result = stub()?;
                Ok($crate::IntoAnswer::into_answer(result, lock))
            };
            // SAFETY: OCaml calls this with the lock held, and this frame has no destructor.
            unsafe { $crate::run(body) }
        }
    )*};
}
