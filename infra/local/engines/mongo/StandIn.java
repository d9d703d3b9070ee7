import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.ObjectDataType;

/**
 * Stands in for MongoDB on a developer's machine: mongo-java-server on an H2 file. Arguments: port, data file.
 *
 * It changes five things of the library: it says hello as MongoDB 4.4 (the driver takes nothing older), it hands out copies
 * (the library would encode a reply while the next update changes the same document), it finds documents by `_id` or by a `unique.*` key also when the
 * query has further conditions, counts without reading everything, and keeps documents as BSON and index keys as text (the library uses Java's
 * serialization, even to compare two keys, which is many times slower). Whatever else is asked of a tenant scans the documents of that tenant, of
 * all tenants all of them, but for what sweeps look for. No transactions, no expiry by TTL; after a kill of this process the last moments of writes
 * are gone. Never for production.
 */
public class StandIn {
    static final int COMMIT_EVERY_MS = 20;
    /** One file in one process: static, because the library opens collections from its constructors. */
    static MVStore file;

    public static void main(String[] arguments) throws Exception {
        file = new MVStore.Builder().fileName(arguments[1]).open();
        file.setAutoCommitDelay(COMMIT_EVERY_MS);
        MongoServer server = new MongoServer(new Backend());
        server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stopListening();
            file.close();
        }));
        System.out.println("listening");
    }

    static final class Backend extends H2Backend {
        Backend() {
            super(file);
            version(new MongoVersion() {
                @Override public List<Integer> getVersionArray() { return List.of(4, 4, 29, 0); }
                @Override public int getWireVersion() { return 9; }
            });
        }

        @Override protected MongoDatabase openOrCreateDatabase(String name) {
            return new Database(name, getCursorRegistry());
        }
    }

    static final class Database extends H2Database {
        /** The second stage of the driver's countDocuments. */
        private static final Document COUNTING = new Document("$group", new Document("_id", 1).append("n", new Document("$sum", 1)));

        Database(String name, CursorRegistry cursors) { super(name, file, cursors); }

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

        @Override protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
            String fullName = getDatabaseName() + "." + name;
            MVMap<Object, Document> data = file.openMap("databases." + fullName, new MVMap.Builder<Object, Document>().valueType(new DocumentType()));
            return new Copies(this, name, options, data, file.openMap("meta." + fullName), cursorRegistry);
        }

        @Override protected Index<Object> openOrCreateUniqueIndex(String collection, String index, List<IndexKey> keys, boolean sparse) {
            // Opened here first, the map keeps our type of key when the library opens it.
            file.openMap(getDatabaseName() + "." + collection + "._index_" + index, new MVMap.Builder<KeyValue, Object>().keyType(new KeyType()));
            return super.openOrCreateUniqueIndex(collection, index, keys, sparse);
        }
    }

    static final class Copies extends H2Collection {
        /** What sweeps look for, every few seconds in every collection: fields that few documents have. */
        private static final List<String> SWEPT = List.of("outboxAt", "dueAt");

        private final MVMap<Object, Document> data;
        private final Map<String, Set<Object>> swept = new HashMap<>();

        Copies(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> data, MVMap<String, Object> meta, CursorRegistry cursors) {
            super(database, name, options, data, meta, cursors);
            this.data = data;
            for (String field : SWEPT) swept.put(field, new TreeSet<>(data.getKeyType()));
            data.forEach(this::noteSwept);
        }

        /** It would encode each document once more, for a figure that nobody asks for. */
        @Override protected boolean tracksDataSize() { return false; }

        private void noteSwept(Object id, Document document) {
            for (String field : SWEPT)
                if (document.containsKey(field)) swept.get(field).add(id);
                else swept.get(field).remove(id);
        }

        @Override protected Object addDocumentInternal(Document document) {
            Object id = super.addDocumentInternal(document);
            noteSwept(id, document);
            return id;
        }

        @Override protected void handleUpdate(Object id, Document before, Document after) {
            super.handleUpdate(id, before, after);
            noteSwept(id, after);
        }

        @Override protected void removeDocument(Object id) {
            super.removeDocument(id);
            noteSwept(id, new Document());
        }

        @Override protected QueryResult queryDocuments(Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
            return matchDocumentsFromStream(candidates(query), query, orderBy, skip, limit, batchSize, fields);
        }

        @Override protected QueryResult createQueryResult(List<Document> found, int batchSize) {
            return super.createQueryResult(found.stream().map(Document::cloneDeeply).toList(), batchSize);
        }

        private Stream<Document> candidates(Document query) {
            for (String key : query.keySet()) {
                Object value = query.get(key);
                if (SWEPT.contains(key) && value instanceof Document condition && condition.containsKey("$lte"))
                    return swept.get(key).stream().map(data::get);
                if (!key.equals("_id") && !key.startsWith("unique.")) continue;
                if (value instanceof String) return byKey(key, value);
                if (value instanceof Document condition && condition.size() == 1 && condition.get("$in") instanceof Collection<?> values)
                    return values.stream().distinct().flatMap(one -> byKey(key, one));
            }
            return query.get("tenantId") instanceof String tenant ? ofTenant(tenant) : data.values().stream();
        }

        private Stream<Document> byKey(String key, Object value) {
            Document query = new Document(key, value);
            Optional<Index<Object>> index = getIndexes().stream().filter(one -> one.canHandle(query)).findFirst();
            if (index.isEmpty()) return data.values().stream();
            return StreamSupport.stream(index.get().getPositions(query).spliterator(), false).map(this::getDocument);
        }

        /** The store begins each `_id` with the tenant and a colon (documentKey in packages/store), and the map is in the order of `_id`. */
        private Stream<Document> ofTenant(String tenant) {
            Cursor<Object, Document> cursor = data.cursor(tenant + ":", tenant + ";", false);
            Iterator<Document> documents = new Iterator<>() {
                @Override public boolean hasNext() { return cursor.hasNext(); }
                @Override public Document next() { cursor.next(); return cursor.getValue(); }
            };
            return StreamSupport.stream(Spliterators.spliteratorUnknownSize(documents, Spliterator.ORDERED), false);
        }
    }

    static final class DocumentType extends BasicDataType<Document> {
        @Override public int getMemory(Document document) { return 2_000; }
        @Override public Document[] createStorage(int size) { return new Document[size]; }

        @Override public void write(WriteBuffer buffer, Document document) {
            ByteBuf bytes = Unpooled.buffer(2_048);
            BsonEncoder.encodeDocument(document, bytes);
            buffer.putVarInt(bytes.readableBytes()).put(bytes.nioBuffer());
        }

        @Override public Document read(ByteBuffer buffer) {
            byte[] bytes = new byte[DataUtils.readVarInt(buffer)];
            buffer.get(bytes);
            return BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bytes));
        }
    }

    /** A key of one text, which almost all are, as that text; any other as the library would. */
    static final class KeyType extends BasicDataType<KeyValue> {
        private final ObjectDataType others = new ObjectDataType();

        @Override public int getMemory(KeyValue key) { return 200; }
        @Override public KeyValue[] createStorage(int size) { return new KeyValue[size]; }

        private static String textOf(KeyValue key) {
            return key.size() == 1 && key.get(0) instanceof String text ? text : null;
        }

        @Override public int compare(KeyValue one, KeyValue other) {
            String text = textOf(one), otherText = textOf(other);
            if (text != null && otherText != null) return text.compareTo(otherText);
            if (text != null || otherText != null) return text != null ? 1 : -1;
            return others.compare(one, other);
        }

        @Override public void write(WriteBuffer buffer, KeyValue key) {
            String text = textOf(key);
            others.write(buffer, text != null ? text : key);
        }

        @Override public KeyValue read(ByteBuffer buffer) {
            Object read = others.read(buffer);
            return read instanceof String text ? new KeyValue(text) : (KeyValue) read;
        }
    }
}
