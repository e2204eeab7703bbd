"""The kinds of credit: which codes of an image get its reward."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from rarl.config.fields import Real, Settings


class SingleCredit(Settings):
    """Every code of an image gets the image's reward."""

    kind: Literal["single"] = "single"


class IntermediateCredit(Settings):
    """A code gets the rewards of its own patch and of those sampled after it."""

    kind: Literal["intermediate"] = "intermediate"
    discount: Annotated[Real, Field(ge=0, le=1)]  # of later patches' rewards, a code
    whole_weight: Annotated[Real, Field(ge=0, le=1)]  # of the single reward in the intermediate


Credit = Annotated[SingleCredit | IntermediateCredit, Field(discriminator="kind")]


class Credits(Settings):
    """The values of every kind of credit in an experiment."""

    single: SingleCredit
    intermediate: IntermediateCredit


class CreditKind(Settings):
    """The credit of a method that names none."""

    kind: Literal["single", "intermediate"]

    def beside(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        return {"kind": self.kind, **choice}
