package dev.caravan.bench;

import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/** The usual Java program: a fast parser, and INSERT … ON CONFLICT DO UPDATE in batches. */
final class JdbcBatch implements Contestant {

  private static final int BATCH_ROWS = 1_000;

  private final DataSource dataSource;

  /**
   * @param dataSource with reWriteBatchedInserts
   */
  JdbcBatch(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  @Override
  public String name() {
    return "JDBC batch upsert";
  }

  @Override
  public Duration load(Shape shape, Path file, String table) throws Exception {
    long start = System.nanoTime();
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      createTable(connection, shape, table);
      try (PreparedStatement insert = connection.prepareStatement(upsert(shape, table));
          CsvReader<CsvRecord> records =
              CsvReader.builder()
                  .fieldSeparator(shape.delimiter())
                  .ofCsvRecord(file, shape.charset())) {
        insert(insert, records);
      }
      connection.commit();
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  static void createTable(Connection connection, Shape shape, String table) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(shape.createTable(table));
    }
  }

  private static void insert(PreparedStatement insert, CsvReader<CsvRecord> records)
      throws SQLException {
    int rows = -1; // the header
    for (CsvRecord record : records) {
      if (rows++ < 0) {
        continue;
      }
      for (int i = 0; i < record.getFieldCount(); i++) {
        String value = record.getField(i);
        insert.setString(i + 1, value.isEmpty() ? null : value);
      }
      insert.addBatch();
      if (rows % BATCH_ROWS == 0) {
        insert.executeBatch();
      }
    }
    insert.executeBatch();
  }

  static String upsert(Shape shape, String table) {
    return "INSERT INTO %s VALUES (%s) ON CONFLICT (id) DO UPDATE SET %s"
        .formatted(
            table,
            shape.types().stream()
                .map(type -> type.equals("text") ? "?" : "CAST(? AS " + type + ")")
                .collect(Collectors.joining(", ")),
            shape.columnNames().stream()
                .skip(1)
                .map(c -> c + " = EXCLUDED." + c)
                .collect(Collectors.joining(", ")));
  }
}
