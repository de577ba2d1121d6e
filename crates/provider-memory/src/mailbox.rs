use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use email_provider::{Call, ProviderResult};
use futures::stream::{self, BoxStream, StreamExt as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::broadcast;

use crate::{
    faults::{Fault, Faults, suffer},
    shape::Shape,
    state::State,
};

/// A mailbox in memory, shared by all who hold a clone.
///
/// What a server does behind the gateway's back is in [the simulator's
/// methods](#impl-MemoryMailbox-1); what goes wrong is ordered with [`MemoryMailbox::inject`].
#[derive(Clone, Debug)]
pub struct MemoryMailbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    /// Says that something changed. Replaced when watches are cut.
    changed: Mutex<broadcast::Sender<()>>,
    password: Mutex<Option<SecretString>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn announcer() -> broadcast::Sender<()> {
    broadcast::channel(16).0
}

impl MemoryMailbox {
    /// An empty mailbox with the usual folders. `epoch` goes into every key: two mailboxes of one
    /// name, one after the other, need different ones.
    pub fn new(name: impl Into<String>, shape: Shape, epoch: u64) -> Self {
        let shared = Shared {
            name: name.into(),
            state: Mutex::new(State::new(shape, epoch)),
            faults: Mutex::default(),
            changed: Mutex::new(announcer()),
            password: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Its name: the login.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.state().shape
    }

    /// Signing in needs this password from now on; without one any will do.
    pub fn require_password(&self, password: Option<SecretString>) {
        *lock(&self.shared.password) = password;
    }

    /// The next `times` calls suffer this fault: calls of `operation` (a method's name), or any.
    pub fn inject(&self, operation: Option<&'static str>, fault: Fault, times: usize) {
        lock(&self.shared.faults).add(operation, fault, times);
    }

    /// Takes back the faults that have not happened yet.
    pub fn heal(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Ends every watch, as a lost connection does.
    pub fn cut_watches(&self) {
        *lock(&self.shared.changed) = announcer();
    }

    pub(crate) fn accepts(&self, password: &SecretString) -> bool {
        let right = lock(&self.shared.password);
        right
            .as_ref()
            .is_none_or(|right| right.expose_secret() == password.expose_secret())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }

    /// Changes the mailbox and tells the watches.
    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let done = work(&mut self.state());
        // Nobody may be watching.
        let _ = lock(&self.shared.changed).send(());
        done
    }

    /// Answers a call of the gateway that only reads.
    pub(crate) async fn read<T>(
        &self,
        call: Call,
        operation: &str,
        work: impl FnOnce(&State) -> ProviderResult<T>,
    ) -> ProviderResult<T> {
        let fault = lock(&self.shared.faults).take(operation);
        suffer(fault, call, false, || work(&self.state())).await
    }

    /// Answers a call of the gateway that may change something.
    pub(crate) async fn write<T>(
        &self,
        call: Call,
        operation: &str,
        work: impl FnOnce(&mut State) -> ProviderResult<T>,
    ) -> ProviderResult<T> {
        let fault = lock(&self.shared.faults).take(operation);
        suffer(fault, call, true, || self.change(work)).await
    }

    pub(crate) fn watch(&self) -> BoxStream<'static, ()> {
        let receiver = lock(&self.shared.changed).subscribe();
        stream::unfold(receiver, |mut receiver| async {
            match receiver.recv().await {
                Ok(()) | Err(broadcast::error::RecvError::Lagged(_)) => Some(((), receiver)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        })
        .boxed()
    }
}
