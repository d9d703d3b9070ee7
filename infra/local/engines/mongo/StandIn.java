import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.AbstractMongoBackend;
import de.bwaldvogel.mongo.backend.AbstractMongoCollection;
import de.bwaldvogel.mongo.backend.AbstractSynchronizedMongoDatabase;
import de.bwaldvogel.mongo.backend.AbstractUniqueIndex;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.DocumentWithPosition;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerException;
import de.bwaldvogel.mongo.oplog.Oplog;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Stands in for MongoDB on a developer's machine: mongo-java-server on an LMDB file. Arguments: port, data file.
 *
 * The library speaks the protocol and knows the operators; here is where documents and unique keys lie. A command is one transaction. A
 * document is found by `_id`, by a `unique.*` key, by what sweeps look for, or among those of its tenant; whatever else is asked scans them all.
 * It says hello as MongoDB 4.4 (the driver takes nothing older). No transactions of several commands, no expiry by TTL. Never for
 * production.
 */
public class StandIn {
    private static KeyValueFile file;

    public static void main(String[] arguments) {
        file = new KeyValueFile(Path.of(arguments[1]));
        MongoServer server = new MongoServer(new Backend());
        server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.shutdownNow();
            file.close();
        }));
        System.out.println("listening");
    }

    static final class Backend extends AbstractMongoBackend {
        private static final Set<String> WRITES =
            Set.of("insert", "update", "delete", "findAndModify", "create", "createIndexes", "drop", "dropIndexes", "dropDatabase");

        Backend() {
            version(new MongoVersion() {
                @Override public List<Integer> getVersionArray() { return List.of(4, 4, 29, 0); }
                @Override public int getWireVersion() { return 9; }
            });
        }

        @Override public Document handleCommand(Channel channel, String database, String command, Document query) {
            return WRITES.contains(command)
                ? file.writing(() -> super.handleCommand(channel, database, command, query), MongoServerException.class)
                : file.reading(() -> super.handleCommand(channel, database, command, query));
        }

        @Override protected MongoDatabase openOrCreateDatabase(String name) {
            return new Database(name, getCursorRegistry());
        }
    }

    static final class Database extends AbstractSynchronizedMongoDatabase<String> {
        /** The second stage of the driver's countDocuments. */
        private static final Document COUNTING = new Document("$group", new Document("_id", 1).append("n", new Document("$sum", 1)));

        Database(String name, CursorRegistry cursors) {
            super(name, cursors);
            initializeNamespacesAndIndexes();
        }

        /** The library begins a pipeline with all documents of a collection, but counts by a query. */
        @Override public Document handleCommand(Channel channel, String command, Document query, DatabaseResolver databases, Oplog oplog) {
            Document counted = countedBy(command, query);
            if (counted == null) return super.handleCommand(channel, command, query, databases, oplog);
            Object collection = query.get(command);
            Object n = super.handleCommand(channel, "count", new Document("count", collection).append("query", counted), databases, oplog).get("n");
            List<Document> batch = n.equals(0) ? List.of() : List.of(new Document("_id", 1).append("n", n));
            return new Document("cursor", new Document("id", 0L).append("ns", getDatabaseName() + "." + collection).append("firstBatch", batch)).append("ok", 1.0);
        }

        /** What a pipeline looks for that only counts; null for any other command. */
        private static Document countedBy(String command, Document query) {
            if (!command.equals("aggregate") || !(query.get("pipeline") instanceof List<?> stages)) return null;
            if (stages.size() != 2 || !COUNTING.equals(stages.get(1))) return null;
            return stages.get(0) instanceof Document first && first.get("$match") instanceof Document match ? match : null;
        }

        @Override protected MongoCollection<String> openOrCreateCollection(String name, CollectionOptions options) {
            return new Documents(this, name, options, cursorRegistry);
        }

        @Override protected Index<String> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            Keys documents = documentsOf(getDatabaseName(), collection);
            boolean isId = keys.size() == 1 && keys.get(0).getKey().equals("_id");
            return isId ? new Ids(name, keys, documents) : new UniqueKeys(name, keys, sparse, documents.beside(name));
        }

        @Override protected long getFileSize() { return 0; }
        @Override protected long getStorageSize() { return 0; }
    }

    static Keys documentsOf(String database, String collection) {
        return new Keys(database + "." + collection);
    }

    /** The keys of one kind in the file: eight bytes that stand for the kind's name, then a position. */
    static final class Keys {
        private static final int LONGEST_POSITION = KeyValueFile.LONGEST_KEY - 8;
        private static final int DIGEST = 64;

        private final String name;
        private final byte[] prefix;

        Keys(String name) {
            this.name = name;
            this.prefix = Arrays.copyOf(sha256(name.getBytes(StandardCharsets.UTF_8)), 8);
        }

        Keys beside(String what) { return new Keys(name + " " + what); }

        /** Where a value lies: its bytes, a character each, so that texts with the same beginning lie together; of a long one, what tells it apart. */
        static String positionOf(Object value) {
            byte[] bytes = value instanceof String text ? (text + "\0s").getBytes(StandardCharsets.UTF_8) : KeyValueFile.bytesOf(encode(new Document("", value)));
            String position = latin(bytes);
            if (position.length() <= LONGEST_POSITION) return position;
            return position.substring(0, LONGEST_POSITION - DIGEST) + HexFormat.of().formatHex(sha256(bytes));
        }

        byte[] at(String position) {
            byte[] key = Arrays.copyOf(prefix, prefix.length + position.length());
            System.arraycopy(latin(position), 0, key, prefix.length, position.length());
            return key;
        }

        Stream<KeyValueFile.Entry> beginningWith(String text) {
            byte[] from = at(latin(text.getBytes(StandardCharsets.UTF_8)));
            byte[] to = from.clone();
            for (int last = to.length - 1; ++to[last] == 0; last -= 1) {}
            return file.range(from, to);
        }

        Stream<KeyValueFile.Entry> all() { return beginningWith(""); }

        List<String> positions() {
            return all().map(entry -> latin(entry.key()).substring(prefix.length)).toList();
        }

        void removeAll() { positions().forEach(position -> file.remove(at(position))); }

        private static byte[] sha256(byte[] bytes) {
            try {
                return MessageDigest.getInstance("SHA-256").digest(bytes);
            } catch (NoSuchAlgorithmException impossible) {
                throw new AssertionError(impossible);
            }
        }
    }

    static String latin(byte[] bytes) { return new String(bytes, StandardCharsets.ISO_8859_1); }
    static byte[] latin(String text) { return text.getBytes(StandardCharsets.ISO_8859_1); }

    static ByteBuffer encode(Document document) {
        ByteBuf bytes = Unpooled.buffer(2_048);
        BsonEncoder.encodeDocument(document, bytes);
        return bytes.nioBuffer();
    }

    static Document decode(byte[] bytes) {
        return bytes == null ? null : BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bytes));
    }

    /** Not synchronized as the library's own are: writers take turns in the file, and readers need not. */
    static final class Documents extends AbstractMongoCollection<String> {
        /** What sweeps look for, every few seconds in every collection: fields that few documents have. */
        private static final List<String> SWEPT = List.of("outboxAt", "dueAt");
        private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

        private final Keys keys;
        private final Map<String, Keys> swept = new HashMap<>();
        /** Those of the library's list that find something, in one that readers may go through while an index is added. */
        private final List<Index<String>> unique = new CopyOnWriteArrayList<>();

        Documents(MongoDatabase database, String name, CollectionOptions options, CursorRegistry cursors) {
            super(database, name, options, cursors);
            keys = documentsOf(database.getDatabaseName(), name);
            for (String field : SWEPT) swept.put(field, keys.beside(field));
        }

        @Override public void addIndex(Index<String> index) {
            super.addIndex(index);
            if (index.isUnique() && unique.stream().noneMatch(one -> one.getName().equals(index.getName()))) unique.add(index);
        }

        @Override public void dropIndex(String name) {
            super.dropIndex(name);
            unique.removeIf(one -> one.getName().equals(name));
        }

        @Override protected String addDocumentInternal(Document document) {
            Object id = getIdField() == null ? UUID.randomUUID().toString() : Utils.getSubdocumentValue(document, getIdField());
            String position = Keys.positionOf(new KeyValue(id).normalized().get(0));
            file.put(keys.at(position), encode(document));
            for (String field : SWEPT) if (document.containsKey(field)) file.put(swept.get(field).at(position), NOTHING.duplicate());
            return position;
        }

        @Override protected void handleUpdate(String position, Document before, Document after) {
            file.put(keys.at(position), encode(after));
            for (String field : SWEPT)
                if (after.containsKey(field)) file.put(swept.get(field).at(position), NOTHING.duplicate());
                else if (before.containsKey(field)) file.remove(swept.get(field).at(position));
        }

        @Override protected void removeDocument(String position) {
            file.remove(keys.at(position));
            for (String field : SWEPT) file.remove(swept.get(field).at(position));
        }

        @Override public void drop() {
            keys.removeAll();
            swept.values().forEach(Keys::removeAll);
        }

        @Override protected Document getDocument(String position) { return decode(file.get(keys.at(position))); }
        @Override public int count() { return (int) keys.all().count(); }
        @Override public boolean isEmpty() { return keys.all().findFirst().isEmpty(); }
        @Override protected boolean tracksDataSize() { return false; }
        @Override protected void updateDataSize(int delta) {}
        @Override protected int getDataSize() { return 0; }

        @Override protected Stream<DocumentWithPosition<String>> streamAllDocumentsWithPosition() {
            return keys.positions().stream().map(position -> new DocumentWithPosition<>(getDocument(position), position));
        }

        @Override protected QueryResult queryDocuments(Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
            return matchDocumentsFromStream(candidates(query), query, orderBy, skip, limit, batchSize, fields);
        }

        @Override protected QueryResult matchDocuments(Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
            return queryDocuments(query, orderBy, skip, limit, batchSize, fields);
        }

        private Stream<Document> candidates(Document query) {
            for (String key : query.keySet()) {
                Object value = query.get(key);
                if (SWEPT.contains(key) && value instanceof Document condition && condition.containsKey("$lte"))
                    return swept.get(key).positions().stream().map(this::getDocument);
                if (!key.equals("_id") && !key.startsWith("unique.")) continue;
                if (value instanceof String) return byKey(key, value);
                if (value instanceof Document condition && condition.size() == 1 && condition.get("$in") instanceof Collection<?> values)
                    return values.stream().distinct().flatMap(one -> byKey(key, one));
            }
            // The store begins each `_id` with the tenant and a colon (documentKey in packages/store).
            return scan(query.get("tenantId") instanceof String tenant ? tenant + ":" : "");
        }

        private Stream<Document> byKey(String key, Object value) {
            Document query = new Document(key, value);
            Optional<Index<String>> index = unique.stream().filter(one -> one.canHandle(query)).findFirst();
            if (index.isEmpty()) return scan("");
            return StreamSupport.stream(index.get().getPositions(query).spliterator(), false).map(this::getDocument);
        }

        private Stream<Document> scan(String beginning) {
            return keys.beginningWith(beginning).map(entry -> decode(entry.value()));
        }
    }

    /** A document lies under its `_id`, so that there is nothing else to keep. */
    static final class Ids extends UniqueKeys {
        Ids(String name, List<IndexKey> fields, Keys documents) { super(name, fields, false, documents); }

        @Override protected String getPosition(KeyValue key) {
            String position = Keys.positionOf(key.get(0));
            return file.has(keys.at(position)) ? position : null;
        }

        @Override protected String removeDocument(KeyValue key) { return getPosition(key); }
        @Override public void add(Document document, String position, MongoCollection<String> collection) {}
        @Override public void drop() {}
    }

    static class UniqueKeys extends AbstractUniqueIndex<String> {
        protected final Keys keys;

        UniqueKeys(String name, List<IndexKey> fields, boolean sparse, Keys keys) {
            super(name, fields, sparse);
            this.keys = keys;
        }

        private byte[] at(KeyValue key) {
            List<Object> values = key.stream().map(one -> one instanceof Missing ? null : one).toList();
            return keys.at(Keys.positionOf(values.size() == 1 ? values.get(0) : values));
        }

        @Override protected String getPosition(KeyValue key) {
            byte[] position = file.get(at(key));
            return position == null ? null : latin(position);
        }

        @Override protected String removeDocument(KeyValue key) {
            String position = getPosition(key);
            file.remove(at(key));
            return position;
        }

        @Override protected boolean putKeyPosition(KeyValue key, String position) {
            file.put(at(key), ByteBuffer.wrap(latin(position)));
            return true;
        }

        @Override public void drop() { keys.removeAll(); }
        @Override protected Iterable<Map.Entry<KeyValue, String>> getIterable() { throw new UnsupportedOperationException("a pattern for a unique key"); }
        @Override public long getCount() { return keys.all().count(); }
        @Override public boolean isEmpty() { return keys.all().findFirst().isEmpty(); }
        @Override public long getDataSize() { return 0; }
    }
}
