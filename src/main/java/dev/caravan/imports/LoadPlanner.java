package dev.caravan.imports;

import dev.caravan.copyupsert.CopyUpsertConstants;
import dev.caravan.copyupsert.CopyUpsertLoad;
import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;
import dev.caravan.pgload.LoadMode;
import dev.caravan.pgload.LoadRange;
import dev.caravan.pgload.LoadSpec;
import dev.caravan.pgload.OnDrift;
import dev.caravan.pgload.OnError;
import dev.caravan.pgload.OnMissing;
import dev.caravan.pgload.TableName;
import dev.caravan.pgload.ValueFormats;
import dev.caravan.project.ProjectConfig;
import dev.caravan.project.TableOptions;
import dev.caravan.project.TablePlan;
import dev.caravan.record.csv.CsvFormat;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Route step: says where and how the exchange's file is loaded, by the project's rules. */
final class LoadPlanner implements Processor {

  private final ProjectConfig project;

  LoadPlanner(ProjectConfig project) {
    this.project = project;
  }

  @Override
  public void process(Exchange exchange) {
    String file = exchange.getMessage().getHeader(Exchange.FILE_NAME, String.class);
    TablePlan plan =
        project
            .plan(file)
            .orElseThrow(
                () ->
                    new CaravanException(
                        FailureCode.CONFIG_INVALID,
                        "Project %s has no table for %s.".formatted(project.project(), file)));
    exchange.getMessage().setHeader(CopyUpsertConstants.LOAD, load(plan));
  }

  private CopyUpsertLoad load(TablePlan plan) {
    TableOptions options = plan.options();
    TableName target = new TableName(plan.schema(), plan.table());
    LoadSpec spec =
        new LoadSpec(
            target,
            options.keyColumns(),
            options.columnMapping(),
            LoadMode.valueOf(options.mode().name()),
            options.range().map(r -> new LoadRange(r.column(), r.from(), r.to())),
            OnMissing.valueOf(options.missingRows().name()),
            OnError.valueOf(options.onError().name()),
            options.maxErrors(),
            options.maxErrorRatio(),
            OnDrift.valueOf(options.onDrift().name()),
            options.allowEmpty(),
            formats(options.valueFormats()),
            options.inferTypes());
    CsvFormat format =
        CsvFormat.DEFAULT
            .withDelimiter(options.delimiter())
            .withCharset(options.charset())
            .withSkipLines(options.skipRows())
            .withTrailer(options.trailer())
            .withNullWords(options.nullValues());
    return new CopyUpsertLoad(
        project.project() + "/" + target, spec, format, Optional.empty(), false);
  }

  private static ValueFormats formats(TableOptions.Formats formats) {
    return new ValueFormats(
        formats.date(),
        formats.timestamp(),
        formats.decimal(),
        formats.thousands(),
        formats.trueWords(),
        formats.falseWords());
  }
}
