package dev.caravan.imports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caravan.access.Role;
import dev.caravan.testing.Api;
import dev.caravan.testing.Sql;
import dev.caravan.testing.TestCaravan;
import dev.caravan.testing.TestDatabase;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.CamelContext;
import org.apache.camel.api.management.ManagedCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What projects that wait for files cost. {@code -Dprojects=1000} measures more of them; what was
 * measured stands in docs/reliability.md.
 */
class ManyProjectsTest {

  private static final int PROJECTS = Integer.getInteger("projects", 300);
  private static final int RULES = 150;
  private static final long MOST_BYTES_EACH = 50_000;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @TempDir Path folder;
  private final TestDatabase database = TestDatabase.create();
  private final Sql sql = new Sql(database.url(), null, null);

  private static String project(String name) {
    String rules =
        IntStream.range(0, RULES)
            .mapToObj(
                i ->
                    "{\"file_pattern\": \"table_%d_*.csv\", \"target_table\": \"t%1$d\", \"primary_key\": [\"id\", \"year\"]}"
                        .formatted(i))
            .collect(Collectors.joining(","));
    return """
        {"project": "%s", "connection": "warehouse",
         "sftp": {"remote_path": "/empty", "poll_seconds": 86400}, "tables": [%s]}"""
        .formatted(name, rules);
  }

  private static long polls(CamelContext context) throws Exception {
    return context
        .getCamelContextExtension()
        .getContextPlugin(ManagedCamelContext.class)
        .getManagedRoute("poll-sftp")
        .getExchangesCompleted();
  }

  private static long heapBytes() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private TestCaravan start() throws Exception {
    return TestCaravan.start(
        database, folder, Map.of("caravan.data", folder.resolve("data").toString()));
  }

  @Test
  void anIdleProjectCostsLittleAndABrokenOneNothing() throws Exception {
    Files.createDirectories(folder.resolve("data/sftp/empty"));
    try (TestCaravan caravan = start()) {
      Api admin = caravan.as("default", Role.ADMIN);
      assertThat(admin.post("/api/v1/projects", project("p")).statusCode()).isEqualTo(201);
      await().atMost(PATIENCE).until(() -> polls(caravan.context()) == 1);
      int routes = caravan.context().getRoutesSize();
      int beans = ManagementFactory.getPlatformMBeanServer().getMBeanCount();
      long before = heapBytes();
      sql.execute(
          """
          INSERT INTO caravan.project (id, tenant, name, connection_id, config)
          SELECT gen_random_uuid(), tenant, 'p' || i, connection_id,
            replace(config::text, '"project":"p"', '"project":"p' || i || '"')::json
          FROM caravan.project, generate_series(1, %d) i"""
              .formatted(PROJECTS));
      await().atMost(PATIENCE).until(() -> polls(caravan.context()) == 1 + PROJECTS);
      long each = (heapBytes() - before) / PROJECTS;
      System.out.printf("%d idle projects of %d rules: %d bytes each%n", PROJECTS, RULES, each);
      assertThat(each).isLessThan(MOST_BYTES_EACH);
      assertThat(caravan.context().getRoutesSize()).isEqualTo(routes);
      assertThat(ManagementFactory.getPlatformMBeanServer().getMBeanCount())
          .isLessThan(beans + PROJECTS / 10);
      assertThat(admin.get("/api/v1/projects/p" + PROJECTS).statusCode()).isEqualTo(200);
      sql.execute(
          "UPDATE caravan.project SET config = '{\"project\": \"p1\", \"sftp\": {\"remote_path\": 1}}', version = nextval('caravan.setup_version') WHERE name = 'p1'");
    }
    try (TestCaravan again = start()) {
      Api admin = again.as("default", Role.OPERATOR);
      await()
          .atMost(PATIENCE)
          .until(
              () -> Api.json(admin.get("/api/v1/projects/p1")).at("/problem").asText(),
              problem -> problem.startsWith("CONFIG_INVALID: ") && problem.contains("remote_path"));
      assertThat(
              admin
                  .post("/api/v1/import", "{\"project\": \"p%d\"}".formatted(PROJECTS))
                  .statusCode())
          .isEqualTo(202);
    }
  }
}
