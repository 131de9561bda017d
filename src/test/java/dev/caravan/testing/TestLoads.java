package dev.caravan.testing;

import dev.caravan.pgload.LoadOrigin;
import dev.caravan.pgload.LoadResult;
import dev.caravan.pgload.LoadSpec;
import dev.caravan.pgload.Loader;
import dev.caravan.record.RecordStream;
import dev.caravan.record.csv.CsvFormat;
import dev.caravan.record.csv.CsvReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;

/** Loads texts of CSV into one test database, each as a file of its own content. */
public final class TestLoads {

  private final TestDatabase database;

  /** Into a database of their own. */
  public TestLoads() {
    this(TestDatabase.create());
  }

  /** Into the database. */
  public TestLoads(TestDatabase database) {
    this.database = database;
  }

  /** The content's hash code stands for its SHA-256. */
  private record Origin(UUID loadId, String file, String sha256, long bytes, boolean force)
      implements LoadOrigin {
    @Override
    public String pipeline() {
      return "test/people";
    }
  }

  /** Loads {@code csv}, which begins with its header line. */
  public LoadResult load(LoadSpec spec, String csv) throws IOException, SQLException {
    return load(UUID.randomUUID(), spec, csv);
  }

  /** As above, with the load's id. */
  public LoadResult load(UUID id, LoadSpec spec, String csv) throws IOException, SQLException {
    byte[] bytes = csv.getBytes(StandardCharsets.UTF_8);
    Origin origin =
        new Origin(id, "people.csv", Integer.toHexString(csv.hashCode()), bytes.length, false);
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(bytes), CsvFormat.DEFAULT)) {
      return Loader.load(database.dataSource(), spec, origin, reader);
    }
  }

  /** As above; {@code sqlAtEnd} is run by somebody else when all records have been read. */
  public LoadResult load(LoadSpec spec, String csv, String sqlAtEnd)
      throws IOException, SQLException {
    byte[] bytes = csv.getBytes(StandardCharsets.UTF_8);
    Origin origin = new Origin(UUID.randomUUID(), "people.csv", null, bytes.length, false);
    try (CsvReader reader = CsvReader.open(new ByteArrayInputStream(bytes), CsvFormat.DEFAULT)) {
      InvocationHandler told =
          (proxy, method, arguments) -> {
            Object result = method.invoke(reader, arguments);
            if (result == RecordStream.Step.END) {
              sql(sqlAtEnd);
            }
            return result;
          };
      RecordStream records =
          (RecordStream)
              Proxy.newProxyInstance(
                  TestLoads.class.getClassLoader(), new Class<?>[] {RecordStream.class}, told);
      return Loader.load(database.dataSource(), spec, origin, records);
    }
  }

  /** A connection to the database; to be closed. */
  public Connection connection() throws SQLException {
    return database.dataSource().getConnection();
  }

  /** Runs one statement. */
  public void sql(String sql) throws SQLException {
    try (Connection connection = connection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The rows, their values with a bar between them. */
  public List<String> rows(String sql) {
    return new Sql(database.url(), null, null).rows(sql);
  }
}
