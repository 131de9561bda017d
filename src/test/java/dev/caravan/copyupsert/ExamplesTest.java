package dev.caravan.copyupsert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.job.camel.FailedLoad;
import dev.caravan.job.queue.JobThreads;
import dev.caravan.testing.TestDatabase;
import java.nio.file.Files;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.Test;

class ExamplesTest {

  private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

  @Test
  void theExamplesOfThePageAreRoutesThatStart() throws Exception {
    String page = Files.readString(CatalogFiles.PAGE);
    List<String> examples =
        EXAMPLE.matcher(page).results().map((MatchResult match) -> match.group(1)).toList();
    assertThat(examples).hasSize(4);
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      context.getRegistry().bind("warehouse", TestDatabase.create().dataSource());
      context.getRegistry().bind("failedLoad", new FailedLoad());
      context.getRegistry().bind("jobThreads", new JobThreads(1));
      for (int i = 0; i < examples.size(); i++) {
        // the consumer of a folder would create it
        String yaml = examples.get(i).replace("file:inbox", "direct:inbox");
        PluginHelper.getRoutesLoader(context)
            .loadRoutes(ResourceHelper.fromString("example" + i + ".yaml", yaml));
      }
      context.start();
      assertThat(context.getRoutesSize()).isEqualTo(examples.size() + 1); // and the kamelet's own
    }
  }
}
