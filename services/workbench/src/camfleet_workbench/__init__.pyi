from camfleet_workbench.benchmarks import Benchmark as Benchmark
from camfleet_workbench.benchmarks import benchmark as benchmark
from camfleet_workbench.comparing import Versions as Versions
from camfleet_workbench.comparing import compare_versions as compare_versions
from camfleet_workbench.configuring import edit_config as edit_config
from camfleet_workbench.configuring import undo_config as undo_config
from camfleet_workbench.display import live as live
from camfleet_workbench.display import show as show
from camfleet_workbench.frames import (
    NoPicture as NoPicture,
)
from camfleet_workbench.frames import (
    grab_frame as grab_frame,
)
from camfleet_workbench.frames import (
    grab_frames as grab_frames,
)
from camfleet_workbench.frames import (
    open_source as open_source,
)
from camfleet_workbench.labelled.coco import (
    LabelledPictures as LabelledPictures,
)
from camfleet_workbench.labelled.coco import (
    read_coco as read_coco,
)
from camfleet_workbench.labelled.coco import (
    write_coco as write_coco,
)
from camfleet_workbench.labelled.labelling import (
    label_frames as label_frames,
)
from camfleet_workbench.labelled.labelling import (
    label_from_truth as label_from_truth,
)
from camfleet_workbench.labelled.scoring import (
    Score as Score,
)
from camfleet_workbench.labelled.scoring import (
    mean_average_precision as mean_average_precision,
)
from camfleet_workbench.models import available_models as available_models
from camfleet_workbench.models import connect as connect
from camfleet_workbench.plainly import CellError as CellError
from camfleet_workbench.publishing import publish as publish
from camfleet_workbench.training.fitting import FineTuned as FineTuned
from camfleet_workbench.training.fitting import fine_tune as fine_tune
