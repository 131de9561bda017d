package dev.caravan.outbox.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.outbox.OutboxRig;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class JobWebhookTest {

  private static OutboxRig rig;

  @BeforeAll
  static void start() {
    rig = new OutboxRig();
  }

  @AfterAll
  static void stop() {
    rig.close();
  }

  private static JsonNode payload(UUID job) throws Exception {
    try (Connection connection = rig.transaction()) {
      UUID entry = JobWebhook.add(connection, job, "https://example.com/hook");
      connection.commit();
      return new ObjectMapper()
          .readTree(
              rig.sql().value("SELECT payload FROM caravan.outbox WHERE id = '" + entry + "'"));
    }
  }

  private static int bytes(JsonNode json) {
    return json.toString().getBytes(StandardCharsets.UTF_8).length;
  }

  @Test
  void tellsTheJobAsTheRestApiShowsIt() throws Exception {
    UUID job = rig.job();
    rig.sql()
        .execute(
            """
            INSERT INTO caravan.job_load (job_id, load_id, label, project, table_name, status, rows_read, rows_inserted)
            VALUES ('%1$s', '%1$s', 'a.csv', 'crm', 'public.a', 'loaded', 3, 3)"""
                .formatted(job));
    JsonNode payload = payload(job);
    assertThat(payload.get("url").asText()).isEqualTo("https://example.com/hook");
    assertThat(payload.get("tenant").asText()).isEqualTo("default");
    JsonNode body = payload.get("body");
    assertThat(body.has("tenant")).isFalse();
    assertThat(body.get("type").asText()).isEqualTo("job.failed");
    assertThat(body.get("timestamp")).isEqualTo(body.get("completed_at"));
    assertThat(body.get("job_id").asText()).isEqualTo(job.toString());
    assertThat(body.get("status").asText()).isEqualTo("failed");
    assertThat(body.get("error_code").asText()).isEqualTo("ENCODING");
    assertThat(body.at("/result/inserted").asInt()).isEqualTo(3);
    assertThat(body.at("/file_results/0/filename").asText()).isEqualTo("a.csv");
    assertThat(body.has("note")).isFalse();
  }

  @Test
  void staysSmallHoweverLargeTheJobWas() throws Exception {
    UUID job = rig.job();
    rig.sql()
        .execute(
            """
            INSERT INTO caravan.job_load (job_id, load_id, label, project, status, warnings)
            SELECT '%s', gen_random_uuid(), 'größe-' || i || '.csv', 'crm', 'loaded', ARRAY['a warning that is long']
            FROM generate_series(1, 1000) i"""
                .formatted(job));
    rig.sql()
        .execute(
            """
            INSERT INTO caravan.job_error (job_id, attempt, code, message)
            SELECT '%s', i, 'ENCODING', 'one' FROM generate_series(1, 3) i"""
                .formatted(job));
    rig.sql()
        .execute(
            "UPDATE caravan.job SET message = repeat('€', 30000) WHERE id = '%s'".formatted(job));
    JsonNode body = payload(job).get("body");
    assertThat(bytes(body)).isBetween(15_000, JobWebhook.MAX_BYTES);
    assertThat(body.get("errors")).hasSize(3);
    assertThat(body.get("file_results").size()).isBetween(10, 200);
    assertThat(body.get("note").asText())
        .contains("3 of 3 errors", " of 1000 file_results", "/api/v1/jobs/" + job);
    assertThat(body.at("/result/files").asInt()).isEqualTo(1_000);
  }
}
