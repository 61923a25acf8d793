// Package store keeps what must survive a kill and a power cut (spec R60, R6): the state of the
// agent as key/value pairs, and queues of records that wait to be delivered. It knows nothing about
// types of other packages: keys, values and records are bytes.
//
// One event is one [Change]: the keys that it sets, the records that it appends and the records
// that it acknowledges. A change becomes durable as a whole or not at all. Changes that arrive
// while the disk is busy share the next write (group commit). Of a key with [Put].Latest, that write has
// only the newest value.
//
// # Durability
//
// [Store.Commit] never waits for the disk. Its callback runs after the change is durable, in the
// order of the Commit calls. A [Change.Patient] waits up to 10 ms for another change, so that it causes
// no sync which others must wait for. [Store.Discard] removes delivered records durably within a second,
// with the sync of a commit or with one of its own. A crash before that brings some of them back,
// so delivery is at least once. A record is readable only after it is durable, so a crash can never
// give its sequence number to another record.
//
// # Failure
//
// The engine (Pebble) cannot continue after a failed write of its log. The store then closes
// [Store.Failed] and answers every pending and later call with [ErrFailed]. The process lives on. A
// new process that opens the directory gets back every change whose callback saw nil. The
// goroutines of the failed engine stay blocked and the directory stays locked until the process
// ends, because they may still have a file open.
//
// The store avoids a full disk. It refuses new events ([ErrNoSpace]) while free space is below
// Config.MinFree or the store is above Config.MaxSize. Changes that it has accepted before are
// still written. If the disk fills up nevertheless, the store removes a ballast file to get space.
// It warns before it refuses; [Store.Space] shows the numbers.
//
// # Space
//
// The engine frees the space of deleted and overwritten keys when it next compacts, and it compacts
// only when it is written to. A store that refuses events is not written to. So while space is
// short, the store itself compacts what was delivered. If the store is too large because of
// overwritten state, it compacts the state too. Both work table by table and need little extra
// space. Logs are kept and reused. They take about a sixth of MaxSize, at worst 27% (350 MiB
// without MaxSize).
//
// # Damage
//
// The store detects a block of a table with a wrong checksum (a flipped bit) when the block is read
// or compacted. Undelivered records in that block are lost: [Store.Damage] lists them until
// [Store.ForgetDamage], and they leave their queue, so delivery continues behind them. A second or
// two later, the store removes the keys of the block from the engine (cut.go); otherwise every
// compaction of them would fail. Keys that can still be read are kept. A record that is simply
// missing, for example after the loss of a log, is listed in the same way.
//
// If state or the position of a queue cannot be read, Open or Load fails with [ErrDamaged]. The
// error names the place and the most keys that may be lost. With Config.AcceptLoss the damaged keys
// are removed. A queue that lost its position delivers all of its remaining records again. State
// that is damaged while the store is open does no harm to the caller, who has it in memory. The
// next Open would miss it, so it fails.
//
// To the engine, an unreadable end of a log, or a MANIFEST that ends too early, looks like the
// result of a crash. So the store checks logs before the engine replays them (logcheck.go). The
// file "inventory" lists the logs that must exist and the length of the MANIFEST (inventory.go).
// Two kinds of damage are not detected: in the newest log, damage of the last synced write, at most
// one batch; and a directory that was replaced by an older copy of itself.
//
// # Restart
//
// After a kill, Open writes the log into tables before it returns: at most the three memtables that
// may be in memory, 192 MiB. [Store.Load] then reads the state sequentially. Records are not read.
// A million keys and a million records take about a second (BenchmarkOpen).
//
// # Memory
//
// The newest records of a queue that were not read yet are in memory too, up to 2 MiB for a queue, so
// a reader that keeps up does not read through the engine (tail.go).
//
// The engine keeps two memtables of 64 MiB after much traffic. [Store.ReleaseMemory] replaces them
// when the caller is at rest (memtables.go).
//
// # Concurrency
//
// All methods may be called by several goroutines. A store has three goroutines of its own, which
// end with [Store.Close]:
//
//   - the writer, the only one that applies batches of changes to the engine, and which then runs
//     AfterBatch and the callbacks;
//   - one that answers all changes if the engine has failed;
//   - the space watcher, which starts another goroutine for each compaction that reclaims space and
//     for each repair.
//
// Store.mu guards the batch that is being filled and the in-memory positions of the queues. It is
// never held over I/O. Store.finishing is held while the callbacks of a durable batch run; only the
// store's own goroutines take it. Callbacks may call every method but Close and ForgetDamage, which wait
// for the writer.
//
// # Layout
//
// All integers are big-endian. A queue name is 1 to 128 bytes long. Its length stands in front of
// it, so no queue's keys are a prefix of another's.
//
//	01                     -> format(4)
//	02 len(1) name         -> low(8) next(8)
//	03 len(1) name chunk(8) -> acked bitmap, 64 words of 8 bytes
//	04 len(1) name seq(8)  -> record
//	05 key                 -> value
//	06 len(1) name first(8) -> last(8) records(8) at(8) reason: records that could not be read;
//	                          without a name, state that could not be read
//	07..ff 00              -> len(4) from to: keys to be cut out, empty once they are cut out
//	07..ff 01 key          -> value, to be restored after that
//
// Records below low are delivered. Records from low to next are undelivered, except those whose bit
// is set in the bitmap of chunk seq/4096 (bit seq%64 of word seq%4096/64). A chunk without a key
// has no bit set. So Open knows the length of a queue and its remaining records without reading
// records. A reader seeks over delivered records and does not step over their tombstones. Delivered
// records leave the disk in ranges of at least 4096 as low advances. Records far above low leave
// one by one, because low may stay where it is for days.
package store
