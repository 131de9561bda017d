package dev.caravan.outbox.webhook;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.caravan.outbox.Outbox;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;

/** The webhook that tells how a job ended: the job as the REST API shows it, kept small. */
public final class JobWebhook {

  /** The kind of entry that {@link WebhookHandler} carries out. */
  public static final String KIND = "webhook";

  static final int MAX_BYTES = 20_000;

  private static final int MAX_MESSAGE = 2_000;
  private static final int ROOM_FOR_NOTE = 400;
  private static final ObjectMapper JSON = new ObjectMapper();

  private JobWebhook() {}

  /**
   * Adds one to the outbox.
   *
   * @param connection in the transaction that ended the job, after the job's own tables were
   *     written
   * @param url that was checked when the job was launched
   */
  public static UUID add(Connection connection, UUID jobId, String url) throws SQLException {
    ObjectNode report = report(connection, jobId);
    ObjectNode payload = JSON.createObjectNode().put("url", url);
    payload.set("tenant", report.remove("tenant"));
    payload.set("body", small(report));
    return Outbox.add(connection, jobId, KIND, payload.toString());
  }

  /** With the tenant, who chose the secret and does not need to be told. */
  private static ObjectNode report(Connection connection, UUID jobId) throws SQLException {
    String sql =
        """
        SELECT jsonb_build_object('type', 'job.' || r.state, 'timestamp', report->'completed_at')
          || report
          || jsonb_build_object('project', regexp_replace(report->>'project', '^.*[.]', ''),
               'tenant', j.tenant)
        FROM caravan.job_report r JOIN caravan.job j USING (id) WHERE id = ?""";
    try (PreparedStatement query = connection.prepareStatement(sql)) {
      query.setObject(1, jobId);
      try (ResultSet row = query.executeQuery()) {
        if (!row.next()) {
          throw new IllegalArgumentException("there is no job " + jobId);
        }
        ObjectNode report = (ObjectNode) JSON.readTree(row.getString(1));
        return report.without("loads"); // file_results has them, in the words of the contract
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // it is PostgreSQL's own JSON
    }
  }

  /** Cuts the lists, whose lengths are the job's, and says so. */
  static ObjectNode small(ObjectNode report) {
    if (bytes(report) <= MAX_BYTES) {
      return report;
    }
    List<String> lists = List.of("errors", "file_results");
    ObjectNode small = report.deepCopy();
    lists.forEach(small::remove);
    String message = small.path("message").asText();
    if (message.length() > MAX_MESSAGE) {
      small.put("message", message.substring(0, MAX_MESSAGE) + "…");
    }
    int room = MAX_BYTES - ROOM_FOR_NOTE - bytes(small);
    for (String list : lists) {
      ArrayNode kept = small.putArray(list);
      for (JsonNode element : report.withArray(list)) {
        room -= bytes(element) + 1;
        if (room < 0) {
          break;
        }
        kept.add(element);
      }
    }
    return small.put(
        "note",
        "cut to %d of %d errors and %d of %d file_results; all of them: GET /api/v1/jobs/%s"
            .formatted(
                small.get("errors").size(),
                report.get("errors").size(),
                small.get("file_results").size(),
                report.get("file_results").size(),
                report.path("job_id").asText()));
  }

  private static int bytes(JsonNode json) {
    return json.toString().getBytes(StandardCharsets.UTF_8).length;
  }
}
