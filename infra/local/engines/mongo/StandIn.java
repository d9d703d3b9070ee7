import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
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
 * (the library would encode a reply while the next update changes the same document), it finds a document by `_id` or by a
 * `unique.*` key also when the query has further conditions, it looks among the documents of one tenant where a query names it, and it keeps
 * documents as BSON and index keys as text (the library uses Java's serialization, even to compare two keys, which is many times slower).
 * Everything else scans. No transactions, no expiry by TTL; after a kill of this process the last moments of writes are gone. Never for production.
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
        Database(String name, CursorRegistry cursors) { super(name, file, cursors); }

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
        private final MVMap<Object, Document> data;

        Copies(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> data, MVMap<String, Object> meta, CursorRegistry cursors) {
            super(database, name, options, data, meta, cursors);
            this.data = data;
        }

        @Override protected QueryResult queryDocuments(Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
            Stream<Document> copies = candidates(query).filter(document -> documentMatchesQuery(document, query)).map(Document::cloneDeeply);
            return matchDocumentsFromStream(copies, query, orderBy, skip, limit, batchSize, fields);
        }

        private Stream<Document> candidates(Document query) {
            for (String key : query.keySet()) {
                if (!key.equals("_id") && !key.startsWith("unique.")) continue;
                Object value = query.get(key);
                if (value instanceof String) return byKey(key, value);
                if (value instanceof Document condition && condition.size() == 1 && condition.get("$in") instanceof Collection<?> values)
                    return values.stream().distinct().flatMap(one -> byKey(key, one));
            }
            return query.get("tenantId") instanceof String tenant ? ofTenant(tenant) : data.values().stream();
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

        private Stream<Document> byKey(String key, Object value) {
            QueryResult found = super.queryDocuments(new Document(key, value), null, 0, 0, 0, null);
            return StreamSupport.stream(found.spliterator(), false).toList().stream();
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
