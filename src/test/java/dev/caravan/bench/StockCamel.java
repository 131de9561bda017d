package dev.caravan.bench;

import static org.apache.camel.support.builder.ExpressionBuilder.bodyExpression;
import static org.apache.camel.support.builder.ExpressionBuilder.groupIteratorExpression;

import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import javax.sql.DataSource;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.dataformat.CsvDataFormat;

/**
 * A route of Camel's own parts: camel-csv reads the file while a streaming split hands it to
 * camel-sql in batches. Unlike the other contestants it commits each batch.
 */
final class StockCamel implements Contestant {

  private static final String BATCH_ROWS = "1000";

  private final DataSource dataSource;
  private final DefaultCamelContext context = new DefaultCamelContext();

  /**
   * @param dataSource with reWriteBatchedInserts
   */
  StockCamel(DataSource dataSource) {
    this.dataSource = dataSource;
    context.getRegistry().bind("warehouse", dataSource);
    context.start();
  }

  @Override
  public String name() {
    return "stock Camel";
  }

  @Override
  public Duration load(Shape shape, Path file, String table) throws Exception {
    String route = "direct:" + table;
    if (context.hasEndpoint(route) == null) {
      context.addRoutes(route(shape, route, table));
    }
    long start = System.nanoTime();
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(true);
      JdbcBatch.createTable(connection, shape, table);
    }
    // The file, not its stream: Camel would keep a copy of the stream in memory.
    try (var template = context.createProducerTemplate()) {
      template.requestBodyAndHeader(
          route, file.toFile(), Exchange.CHARSET_NAME, shape.charset().name());
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static RouteBuilder route(Shape shape, String from, String table) {
    CsvDataFormat csv = new CsvDataFormat();
    csv.setDelimiter(String.valueOf(shape.delimiter()));
    csv.setHeader(String.join(",", shape.columnNames()));
    csv.setSkipHeaderRecord("true");
    csv.setLazyLoad("true");
    csv.setNullString("");
    String sql = JdbcBatch.upsert(shape, table).replace('?', '#');
    return new RouteBuilder() {
      @Override
      public void configure() {
        from(from)
            .unmarshal(csv)
            // What simple's ${collate(1000)} makes; that one groups the groups from its second use
            // on.
            .split(groupIteratorExpression(bodyExpression(), null, BATCH_ROWS, false))
            .streaming()
            .stopOnException()
            .to("sql:" + sql + "?dataSource=#warehouse&batch=true");
      }
    };
  }

  @Override
  public void close() {
    context.stop();
  }
}
