package dev.caravan.web;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.caravan.setup.HostWaits;
import dev.caravan.setup.Projects;
import dev.caravan.setup.StoredProject;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Answers {@code /api/v1/projects}; no answer has a secret. */
public final class ProjectsApi {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Projects projects;
  private final Running running;
  private final HostWaits waits;

  /** What runs by the projects; its answers are JSON, empty when the tenant has no such project. */
  public interface Running {
    /** Takes over what was changed, on this node at once. */
    void changed();

    /** Why the project of a key does not run; empty for one that does. */
    Optional<String> problem(String key);

    /** The files that an import would load, and their first rows. */
    Optional<String> preview(String tenant, String name) throws SQLException;

    /** The SQL that an import would run before it loads. */
    Optional<String> plan(String tenant, String name) throws SQLException;
  }

  /** Shows and changes these. */
  public ProjectsApi(Projects projects, Running running, HostWaits waits) {
    this.waits = waits;
    this.projects = projects;
    this.running = running;
  }

  /** Those of the tenant, a page or all. */
  public Object listProjects(
      @Header("limit") String limit, @Header("cursor") String cursor, Exchange exchange) {
    return Answer.of(
        exchange,
        () -> {
          Optional<Integer> page = Optional.ofNullable(limit).map(Integer::parseInt);
          List<StoredProject> found =
              projects.list(
                  Answer.caller(exchange).tenant(),
                  cursor == null ? "" : cursor,
                  page.map(rows -> rows + 1)); // one more tells that there is a next page
          boolean isLast = page.isEmpty() || found.size() <= page.get();
          List<StoredProject> shown = isLast ? found : found.subList(0, page.get());
          ObjectNode answer = JSON.createObjectNode();
          ArrayNode all = answer.putArray("projects");
          for (StoredProject project : shown) {
            all.add(json(project));
          }
          answer.put("next", isLast ? null : shown.get(shown.size() - 1).name());
          return Optional.of(answer.toString());
        });
  }

  /** One. */
  public Object getProject(@Header("name") String name, Exchange exchange) {
    return Answer.of(
        exchange,
        () ->
            projects
                .find(Answer.caller(exchange).tenant(), name)
                .map(project -> json(project).toString()));
  }

  /** Adds one. */
  public Object createProject(@Body String body, Exchange exchange) {
    return Answer.of(
        exchange,
        () -> {
          String tenant = Answer.caller(exchange).tenant();
          StoredProject made = waits.run(tenant, () -> projects.create(tenant, body));
          running.changed();
          Answer.created(exchange, "/api/v1/projects/" + made.name());
          return Optional.of(json(made).toString());
        });
  }

  /** Replaces one. */
  public Object replaceProject(@Header("name") String name, @Body String body, Exchange exchange) {
    return Answer.of(
        exchange,
        () -> {
          String tenant = Answer.caller(exchange).tenant();
          Optional<StoredProject> now =
              waits.run(tenant, () -> projects.replace(tenant, name, body));
          if (now.isPresent()) {
            running.changed();
          }
          return now.map(project -> json(project).toString());
        });
  }

  /** Removes one. */
  public Object deleteProject(@Header("name") String name, Exchange exchange) {
    return Answer.of(
        exchange,
        () -> {
          if (!projects.delete(Answer.caller(exchange).tenant(), name)) {
            return Optional.empty();
          }
          running.changed();
          return Answer.gone(exchange);
        });
  }

  /** Shows what an import would load. */
  public Object previewProject(@Header("name") String name, Exchange exchange) {
    return Answer.waiting(
        exchange, waits, () -> running.preview(Answer.caller(exchange).tenant(), name));
  }

  /** Shows the SQL of the next import. */
  public Object planProject(@Header("name") String name, Exchange exchange) {
    return Answer.waiting(
        exchange, waits, () -> running.plan(Answer.caller(exchange).tenant(), name));
  }

  private ObjectNode json(StoredProject project) {
    ObjectNode json = JSON.createObjectNode();
    json.put("id", project.id().toString());
    json.put("name", project.name());
    json.put("connection_id", project.connectionId().toString());
    json.putRawValue("config", new RawValue(project.config() == null ? "null" : project.config()));
    json.put("read_only", project.readOnly());
    json.put("problem", running.problem(project.key()).orElse(null));
    json.put("created_at", project.createdAt().toString());
    json.put("updated_at", project.updatedAt().toString());
    return json;
  }
}
