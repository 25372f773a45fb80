//! The one pass: inputs in, consumers and a tally out, on all threads.
//!
//! As many inputs are open as there are threads. A task reads its input block by
//! block, and hands a block over while someone is likely idle; otherwise it
//! decodes the block itself, while it is still in the cache. So one large file
//! and many small ones both keep every thread busy, no task ever waits for
//! another, and memory is bounded by the threads, not by the log.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::{Scope, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::decode::{Consumer, Framing, Origin, Problem, Tally, decode};
use crate::source::{Block, Blocks, Buffers, Flaw, Input, Inputs, Progress};

/// How to read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Threads to use, at least one.
    pub threads: usize,
    /// The longest record that is looked at, in bytes.
    pub record_limit: usize,
    /// How much is read and decoded at a time, in bytes.
    pub block_size: usize,
    /// Where to write how far the reading has come.
    pub progress: Arc<Progress>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            record_limit: 16 << 20,
            block_size: 256 << 10,
            progress: Arc::default(),
        }
    }
}

/// Reads `inputs` and gives every event to one of the consumers that `consumer`
/// makes, one for each thread. Which one gets an event is left to chance, so
/// they must merge to the same whatever the distribution.
///
/// # Errors
///
/// When the threads cannot be started. Everything that is wrong with the inputs
/// stands in the tally.
pub fn read<C: Consumer>(
    inputs: Inputs,
    options: &ReadOptions,
    consumer: impl Fn() -> C,
) -> Result<(Vec<C>, Tally), ThreadPoolBuildError> {
    let threads = options.threads.max(1);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build()?;
    let mut tally = Tally::default();
    for (name, damage) in inputs.unreachable {
        tally.add_problem(Problem::with_input(&name.into(), Flaw { damage, offset: 0 }));
    }
    let read_before = options.progress.done.load(Ordering::Relaxed);
    let total = inputs.found.iter().map(Input::size).sum();
    options.progress.total.fetch_add(total, Ordering::Relaxed);

    let crew = Crew::new(threads, options, consumer);
    let waiting = Mutex::new(inputs.found.into_iter());
    // The lock must be free again before the input is read.
    let next_input = || locked(&waiting).next();
    pool.scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|scope| {
                while let Some(input) = next_input() {
                    crew.read_input(input, scope);
                }
            });
        }
    });

    let mut consumers = Vec::with_capacity(threads);
    for worker in crew.workers {
        let worker = worker.into_inner().unwrap_or_else(PoisonError::into_inner);
        consumers.push(worker.consumer);
        tally.merge(worker.tally);
    }
    tally.bytes = options.progress.done.load(Ordering::Relaxed) - read_before;
    tally.conclude();
    Ok((consumers, tally))
}

/// What the tasks share.
struct Crew<'o, C> {
    /// One for each thread, so that no lock is ever waited for.
    workers: Vec<Mutex<Worker<C>>>,
    buffers: Buffers,
    /// Blocks handed over and not yet begun.
    queued: AtomicUsize,
    block_size: usize,
    options: &'o ReadOptions,
}

struct Worker<C> {
    consumer: C,
    tally: Tally,
}

impl<'o, C: Consumer> Crew<'o, C> {
    fn new(threads: usize, options: &'o ReadOptions, consumer: impl Fn() -> C) -> Self {
        let worker = || Mutex::new(Worker { consumer: consumer(), tally: Tally::default() });
        // A smaller limit would otherwise not be met within a block.
        let block_size = options.block_size.clamp(1, options.record_limit.max(1));
        Self {
            workers: (0..threads).map(|_| worker()).collect(),
            buffers: Buffers::new(2 * threads, block_size),
            queued: AtomicUsize::new(0),
            block_size,
            options,
        }
    }

    fn read_input<'s>(&'s self, input: Input, scope: &Scope<'s>) {
        let name = input.name();
        let stream = match input.open(&self.options.progress) {
            Ok(stream) => stream,
            Err(error) => {
                let problem = Problem::with_input(&name, Flaw::from_io(&error));
                return self.with_worker(|worker| worker.tally.add_problem(problem));
            }
        };
        let limit = self.options.record_limit;
        let mut blocks = Blocks::new(stream, self.block_size, &self.buffers);
        let mut framing = Framing::new(self.block_size, limit);
        let mut origin: Option<Arc<Origin>> = None;
        while let Some(block) = blocks.next(&mut framing) {
            let origin = origin.get_or_insert_with(|| {
                let dialect = Arc::new(framing.dialect().clone());
                let (name, lines) = (Arc::clone(&name), framing.lines().clone());
                Arc::new(Origin { name, dialect, record_limit: limit, lines })
            });
            self.hand_over(block, origin, scope);
            if framing.has_findings() {
                self.with_worker(|worker| framing.report(&name, &mut worker.tally));
            }
        }
        self.with_worker(|worker| {
            let tally = &mut worker.tally;
            tally.files += 1;
            tally.inflated += blocks.position();
            framing.report(&name, tally);
            if let Some(flaw) = blocks.flaw() {
                tally.add_problem(Problem::with_input(&name, flaw.clone()));
            }
        });
        blocks.close();
    }

    /// Leaves `block` to another thread while few are waiting to be taken. A
    /// block that has grown for a long record is never left waiting: that is
    /// what bounds the memory.
    fn hand_over<'s>(&'s self, block: Block, origin: &Arc<Origin>, scope: &Scope<'s>) {
        let others = self.workers.len() - 1;
        let grown = block.bytes().len() > self.block_size;
        if grown || self.queued.load(Ordering::Relaxed) >= others {
            return self.decode(block, origin);
        }
        self.queued.fetch_add(1, Ordering::Relaxed);
        let origin = Arc::clone(origin);
        scope.spawn(move |_| {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            self.decode(block, &origin);
        });
    }

    fn decode(&self, block: Block, origin: &Origin) {
        self.with_worker(|worker| {
            decode(&block, origin, &mut worker.consumer, &mut worker.tally);
        });
        self.buffers.put(block.into_buffer());
    }

    /// The current thread's own worker.
    fn with_worker(&self, work: impl FnOnce(&mut Worker<C>)) {
        let thread = rayon::current_thread_index().unwrap_or_default();
        work(&mut locked(&self.workers[thread]));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
