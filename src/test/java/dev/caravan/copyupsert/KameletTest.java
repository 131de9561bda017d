package dev.caravan.copyupsert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.pgload.LoadResult;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestDatabase;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kamelet in a plain Camel context, from a YAML route. */
class KameletTest {

  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);
  private final DefaultCamelContext context = new DefaultCamelContext();

  @BeforeEach
  void bind() {
    context.getRegistry().bind("db", database.dataSource());
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  private void route(String kamelet) throws Exception {
    String yaml =
        """
        - route:
            from:
              uri: direct:in
              steps:
                - to: "%s"
        """
            .formatted(kamelet);
    PluginHelper.getRoutesLoader(context).loadRoutes(ResourceHelper.fromString("in.yaml", yaml));
    context.start();
  }

  private LoadResult send(String csv) {
    return context.createProducerTemplate().requestBody("direct:in", csv, LoadResult.class);
  }

  @Test
  void loadsACsvBodyWithNothingButTableAndKey() throws Exception {
    route("kamelet:copy-upsert-sink?table=sales.orders&keyColumns=id");
    assertThat(send("id,x\n1,a\n2,b\n").inserted()).isEqualTo(2);
    assertThat(send("id,x\n2,c\n3\n").rejected()).isEqualTo(1);
    assertThat(sql.rows("SELECT * FROM sales.orders ORDER BY id")).containsExactly("1|a", "2|c");
  }

  @Test
  void passesItsOptionsOn() throws Exception {
    context.getRegistry().bind("another", TestDatabase.create().dataSource());
    route(
        "kamelet:copy-upsert-sink?table=t&dataSource=#bean:db&keyColumns=nr,year&columnMapping=Nr:nr&delimiter=;"
            + "&mode=REPLACE&skipRows=1&nullWords=-&maxErrors=0&allowEmpty=true");
    assertThat(send("meta\nNr;year;x\n1;2025;-\n2;2025;b\n").inserted()).isEqualTo(2);
    assertThat(sql.rows("SELECT * FROM t ORDER BY nr")).containsExactly("1|2025|null", "2|2025|b");
    assertThatThrownBy(() -> send("meta\nNr;year;x\n1\n2;2025;b\n"))
        .rootCause()
        .hasMessageContaining("More than 0");
    assertThat(send("meta\nNr;year;x\n").deleted()).isEqualTo(2);
  }

  @Test
  void wantsATable() {
    assertThatThrownBy(() -> route("kamelet:copy-upsert-sink?keyColumns=id"))
        .hasStackTraceContaining("table");
  }
}
