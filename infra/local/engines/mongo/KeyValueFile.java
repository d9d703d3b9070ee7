import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.GetOp;
import org.lmdbjava.Txn;

/**
 * Keys and values as bytes, in the order of the keys, in one file: LMDB. Whatever is asked of it belongs to the transaction that the thread is
 * in: writers take turns, readers see the file as it was when they began and wait for nobody. A commit hands it to the operating
 * system, not to the disk: a kill of the process loses nothing, a loss of power may lose the file.
 */
final class KeyValueFile {
    static final int LONGEST_KEY = 511;
    /** Of address space, not of the disk. */
    private static final long LARGEST = 1L << 38;

    record Entry(byte[] key, byte[] value) {}

    private static final class Transaction implements AutoCloseable {
        private final Txn<ByteBuffer> txn;
        private final List<Cursor<ByteBuffer>> cursors = new ArrayList<>();

        Transaction(Txn<ByteBuffer> txn) { this.txn = txn; }

        private void closeCursors() {
            cursors.forEach(Cursor::close);
            cursors.clear();
        }

        void commit() {
            closeCursors();
            txn.commit();
        }

        @Override public void close() {
            closeCursors();
            txn.close();
        }
    }

    private final Env<ByteBuffer> env;
    private final Dbi<ByteBuffer> entries;
    private final ThreadLocal<Transaction> current = new ThreadLocal<>();
    private final ThreadLocal<ByteBuffer> keys = ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(LONGEST_KEY));

    KeyValueFile(Path file) {
        env = Env.create().setMapSize(LARGEST).setMaxDbs(0).open(file.toFile(), EnvFlags.MDB_NOSUBDIR, EnvFlags.MDB_NOSYNC);
        entries = env.openDbi((byte[]) null, DbiFlags.MDB_CREATE);
    }

    <T> T reading(Supplier<T> work) {
        try (Transaction transaction = begin(env.txnRead())) {
            return work.get();
        } finally {
            current.remove();
        }
    }

    /** What was done before it refused is kept, as when nothing is thrown; after any other error nothing is. */
    <T> T writing(Supplier<T> work, Class<? extends RuntimeException> refusal) {
        try (Transaction transaction = begin(env.txnWrite())) {
            try {
                T result = work.get();
                transaction.commit();
                return result;
            } catch (RuntimeException error) {
                if (refusal.isInstance(error)) transaction.commit();
                throw error;
            }
        } finally {
            current.remove();
        }
    }

    private Transaction begin(Txn<ByteBuffer> txn) {
        current.set(new Transaction(txn));
        return current.get();
    }

    void close() {
        env.sync(true);
        env.close();
    }

    byte[] get(byte[] key) {
        ByteBuffer found = entries.get(current.get().txn, buffer(key));
        return found == null ? null : bytesOf(found);
    }

    boolean has(byte[] key) {
        return entries.get(current.get().txn, buffer(key)) != null;
    }

    void put(byte[] key, ByteBuffer value) {
        entries.reserve(current.get().txn, buffer(key), value.remaining()).put(value);
    }

    void remove(byte[] key) {
        entries.delete(current.get().txn, buffer(key));
    }

    /** Those from one key on and before another, in order. Nothing may be written until the last was taken. */
    Stream<Entry> range(byte[] from, byte[] to) {
        Transaction transaction = current.get();
        Cursor<ByteBuffer> cursor = entries.openCursor(transaction.txn);
        transaction.cursors.add(cursor);
        Iterator<Entry> iterator = new Iterator<>() {
            private Entry next = entryIf(cursor.get(buffer(from), GetOp.MDB_SET_RANGE));

            private Entry entryIf(boolean found) {
                if (!found) return null;
                byte[] key = bytesOf(cursor.key());
                return Arrays.compareUnsigned(key, to) < 0 ? new Entry(key, bytesOf(cursor.val())) : null;
            }

            @Override public boolean hasNext() { return next != null; }

            @Override public Entry next() {
                if (next == null) throw new NoSuchElementException();
                Entry entry = next;
                next = entryIf(cursor.next());
                return entry;
            }
        };
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator, Spliterator.ORDERED), false);
    }

    private ByteBuffer buffer(byte[] key) {
        return keys.get().clear().put(key).flip();
    }

    static byte[] bytesOf(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
